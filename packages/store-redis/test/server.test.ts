import { randomUUID } from 'node:crypto';
import type { Store } from '@durable-api/core';
import { redisStore } from '@durable-api/store-redis';
import { Redis } from 'ioredis';
import { expect, it, vi } from 'vitest';
import { ask, commandCounts } from './support/ask.ts';
import { describeWithServer } from './support/describe-with-server.ts';
import { claimAll, completion, seqsOf, submitRequest } from './support/intents.ts';
import { RedisServer } from './support/redis-server.ts';

const PATIENCE = { timeout: 20_000, interval: 20 };
const MEBIBYTE = 1_048_576;

async function open(server: RedisServer): Promise<Store> {
  const store = redisStore({ url: server.url, prefix: randomUUID(), timeoutMs: 30_000 });
  await store.migrate();
  return store;
}

describeWithServer('the scripts', () => {
  it('are sent once, and again only to a server that has lost them', async () => {
    await using server = await RedisServer.start();
    const store = await open(server);
    await ask(server, (client) => client.config('RESETSTAT'));
    for (let i = 0; i < 10; i += 1) await store.submit([submitRequest()]);
    expect((await commandCounts(server)).get('eval')).toBe(1);
    await ask(server, (client) => client.script('FLUSH'));
    for (let i = 0; i < 10; i += 1) {
      expect(await store.submit([submitRequest()])).toEqual([{ outcome: 'created' }]);
    }
    expect((await commandCounts(server)).get('eval')).toBe(2);
    await store.close();
  });

  it('are done in order though the server has lost them meanwhile', async () => {
    await using server = await RedisServer.start();
    const store = await open(server);
    const [first, second] = [submitRequest({ operation: 'a' }), submitRequest()];
    const same = { ...second, record: { ...second.record, id: first.record.id } };
    await ask(server, (client) => client.script('FLUSH'));
    const filler = Array.from({ length: 300 }, () => submitRequest());
    const results = await store.submit([first, ...filler, same]);
    expect(results[0]).toEqual({ outcome: 'created' });
    expect(results.at(-1)).toEqual({ outcome: 'exists', record: first.record });
    await store.close();
  });

  it('take one round trip for a batch, however large', async () => {
    await using server = await RedisServer.start();
    const store = await open(server);
    await store.submit([submitRequest()]);
    await ask(server, (client) => client.config('RESETSTAT'));
    await store.submit(Array.from({ length: 1_000 }, () => submitRequest()));
    // 256 intents in each, so that none of them holds up the server for long.
    expect((await commandCounts(server)).get('evalsha')).toBe(4);
    await store.close();
  });
});

describeWithServer('a server', () => {
  it('without memory takes no more submits, lets what it has end, and recovers', async () => {
    await using server = await RedisServer.start();
    const store = await open(server);
    await store.submit([submitRequest(), submitRequest(), submitRequest()]);
    const claimed = await claimAll(store, 2);
    const memory = await ask(server, (client) => client.info('memory'));
    const used = Number(/used_memory:(\d+)/.exec(memory)?.[1]);
    await ask(server, (client) => client.config('SET', 'maxmemory', used + 2 * MEBIBYTE));
    const large = (): Promise<unknown> =>
      store.submit([submitRequest({ input: JSON.stringify('x'.repeat(200_000)) })]);
    await expect(
      (async () => {
        for (let i = 0; i < 100; i += 1) await large();
      })(),
    ).rejects.toMatchObject({ code: 'store_full', status: 507 });
    const commits = claimed.map(({ record }) => completion(record));
    expect(await store.commit(commits.slice(0, 1))).toEqual([{ outcome: 'ok' }]);
    const leases = claimed.slice(1).map(({ record }) => ({ id: record.id, lease: record.lease }));
    expect(await store.renew({ now: 0, leaseMs: 60_000, leases })).toMatchObject([{ held: true }]);
    expect(await claimAll(store, 1)).toHaveLength(1);
    const far = Date.now() + 60_000;
    expect(await store.prune({ now: far, endedBefore: far, keyedBefore: far, limit: 9 })).toBe(1);
    await expect(large()).rejects.toMatchObject({ code: 'store_full' });
    await ask(server, (client) => client.config('SET', 'maxmemory', 0));
    await large();
    await store.close();
  });

  it('that cannot write to its disk is full, and recovers', async () => {
    await using server = await RedisServer.start({ save: ['3600', '1'] });
    const store = await open(server);
    server.removeFolder();
    await vi.waitFor(async () => {
      await ask(server, (client) => client.bgsave().catch(() => {}));
      await expect(store.submit([submitRequest()])).rejects.toMatchObject({ code: 'store_full' });
    }, PATIENCE);
    await ask(server, (client) => client.config('SET', 'stop-writes-on-bgsave-error', 'no'));
    expect(await store.submit([submitRequest()])).toEqual([{ outcome: 'created' }]);
    await store.close();
  });

  it('that has become a replica is unavailable until it is a master again', async () => {
    await using server = await RedisServer.start();
    await using master = await RedisServer.start();
    const store = await open(server);
    const request = submitRequest();
    await store.submit([request]);
    await ask(server, (client) => client.replicaof('127.0.0.1', master.port));
    await expect(store.submit([submitRequest()])).rejects.toMatchObject({
      code: 'store_unavailable',
    });
    await ask(server, (client) => client.replicaof('NO', 'ONE'));
    await vi.waitFor(() => store.submit([submitRequest()]), PATIENCE);
    await store.close();
  });

  it('is used with the options of a client that is given, over connections of its own', async () => {
    await using server = await RedisServer.start({ requirepass: 'secret' });
    const client = new Redis(server.port, '127.0.0.1', {
      password: 'secret',
      keyPrefix: 'mine:',
      db: 5,
      lazyConnect: true,
    });
    const store = redisStore({ client, prefix: 'app' });
    await store.migrate();
    const request = submitRequest();
    expect(await store.submit([request])).toEqual([{ outcome: 'created' }]);
    expect(await seqsOf(store, request.record.id)).toEqual([1, 2]);
    expect(client.status).toBe('wait');
    await store.close();
    await client.connect();
    expect(await client.dbsize()).toBeGreaterThan(0);
    client.disconnect();
    const wrong = redisStore({ url: `redis://:wrong@127.0.0.1:${server.port}` });
    await expect(wrong.migrate()).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('password'),
    });
    await wrong.close();
  });
});

describeWithServer('a write that must be replicated', () => {
  it('is acknowledged once enough replicas have it, and refused when they do not', async () => {
    await using master = await RedisServer.start();
    await using replica = await RedisServer.start({ replicaof: ['127.0.0.1', `${master.port}`] });
    // The link is up on the replica's side before the master counts it: only a write that it has tells.
    await vi.waitFor(async () => {
      const confirmed = await ask(master, async (client) => {
        await client.set('probe', 1);
        return client.wait(1, 5_000);
      });
      expect(confirmed).toBe(1);
    }, PATIENCE);
    const common = { url: master.url, prefix: randomUUID(), requireReplicas: 1 };
    const store = redisStore({ ...common, timeoutMs: 20_000 });
    await store.migrate();
    const request = submitRequest();
    expect(await store.submit([request])).toEqual([{ outcome: 'created' }]);
    const [claimed] = await claimAll(store);
    if (claimed === undefined) throw new Error('It was not claimed.');
    expect(await store.commit([completion(claimed.record)])).toEqual([{ outcome: 'ok' }]);

    replica.signal('SIGSTOP');
    const hasty = redisStore({ ...common, timeoutMs: 1_000 });
    await vi.waitFor(() => hasty.migrate(), PATIENCE);
    const unsure = submitRequest();
    await expect(hasty.submit([unsure])).rejects.toMatchObject({
      code: 'store_unavailable',
      message: 'Only 0 of the required 1 Redis replicas have confirmed the write.',
    });
    replica.signal('SIGCONT');
    await vi.waitFor(async () => {
      const [again] = await store.submit([unsure]);
      expect(again).toEqual({ outcome: 'exists', record: unsure.record });
    }, PATIENCE);
    await hasty.close();
    await store.close();
  });
});
