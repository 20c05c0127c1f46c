import { redisStore } from '@durable-api/store-redis';
import { submitRequest } from '../../../packages/store-redis/test/support/intents.ts';
import {
  RedisServer,
  type ServerConfig,
} from '../../../packages/store-redis/test/support/redis-server.ts';
import type { Bench } from '../bench.ts';

const ROUNDS = 5;
const SUBMITTERS = 64;
const ACKNOWLEDGED = 5_000;

const CONFIGS: Readonly<Record<string, ServerConfig>> = {
  always: { appendfsync: 'always' },
  everysec: { appendfsync: 'everysec' },
  no: { appendfsync: 'no' },
  snapshots: { appendonly: 'no', save: ['1', '1'] },
  nothing: { appendonly: 'no' },
};

/** Submits under load until the server is killed; gives the ids of what was acknowledged. */
async function killedUnderLoad(server: RedisServer, requireReplicas = 0): Promise<string[]> {
  const store = redisStore({ url: server.url, acceptDurability: 'volatile', requireReplicas });
  await store.migrate();
  const acknowledged: string[] = [];
  let isOver = false;
  const submit = async (): Promise<void> => {
    while (!isOver) {
      const request = submitRequest();
      const [result] = await store.submit([request]);
      if (result?.outcome === 'created') acknowledged.push(request.record.id);
      if (acknowledged.length >= ACKNOWLEDGED) isOver = true;
    }
  };
  const under = Array.from({ length: SUBMITTERS }, () => submit().catch(() => {}));
  await Promise.race(under);
  await server.kill();
  await Promise.all(under);
  await store.close();
  return acknowledged;
}

async function missing(server: RedisServer, ids: readonly string[]): Promise<number> {
  const store = redisStore({ url: server.url, acceptDurability: 'volatile' });
  await store.migrate();
  const found = await store.get({ ids });
  await store.close();
  return found.filter((one) => one === undefined).length;
}

/** The server is killed and starts again on its data. */
async function restarted(config: ServerConfig): Promise<{ of: number; lost: number }> {
  await using server = await RedisServer.start(config);
  const acknowledged = await killedUnderLoad(server);
  await server.restart();
  return { of: acknowledged.length, lost: await missing(server, acknowledged) };
}

/** The server is killed and its replica becomes the master. */
async function failedOver(requireReplicas: number): Promise<{ of: number; lost: number }> {
  await using server = await RedisServer.start();
  await using replica = await RedisServer.start({ replicaof: ['127.0.0.1', `${server.port}`] });
  const master = server.connect();
  do await master.set('probe', 1);
  while ((await master.wait(1, 1_000)) < 1);
  master.disconnect();
  const acknowledged = await killedUnderLoad(server, requireReplicas);
  const promoted = replica.connect();
  await promoted.replicaof('NO', 'ONE');
  promoted.disconnect();
  return { of: acknowledged.length, lost: await missing(replica, acknowledged) };
}

/** What Redis loses of what it has acknowledged when it is killed with SIGKILL under load. */
export const bench: Bench = async () => {
  const figures: Record<string, string> = {};
  const count = async (
    name: string,
    once: () => Promise<{ of: number; lost: number }>,
  ): Promise<void> => {
    const sum = { of: 0, lost: 0 };
    for (let i = 0; i < ROUNDS; i++) {
      const round = await once();
      sum.of += round.of;
      sum.lost += round.lost;
    }
    figures[name] = `${sum.lost} of ${sum.of}`;
    console.log(`${name}: lost ${figures[name]}`);
  };
  for (const [name, config] of Object.entries(CONFIGS)) await count(name, () => restarted(config));
  await count('failover', () => failedOver(0));
  await count('failoverRequiringReplica', () => failedOver(1));
  return { rounds: ROUNDS, ...figures, target: 'always and everysec lose nothing' };
};
