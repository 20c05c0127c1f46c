import { DurableClient } from '@durable-api/client';
import { problemSchema } from '@durable-api/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { Cluster, findClusterTools } from '../packages/store-postgres/test/support/cluster.ts';
import { RedisServer } from '../packages/store-redis/test/support/redis-server.ts';
import { ServerInProcess } from './server-in-process.ts';

/** A server of a store that can go away and come back with its data. */
interface Outage {
  readonly url: string;
  kill(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

async function postgres(): Promise<Outage> {
  const tools = await findClusterTools();
  if (tools === null) throw new Error('There is no Postgres on this machine.');
  return Cluster.start(tools);
}

async function redis(): Promise<Outage> {
  const server = await RedisServer.start();
  return {
    url: server.url,
    kill: () => server.kill(),
    start: () => server.restart(),
    remove: () => server[Symbol.asyncDispose](),
  };
}

/** For machines that are many times slower than usual. */
const PATIENT = { timeout: 60_000 };
/** A submit answers within 2 s; ten times that on such a machine. */
const PROMPT_MS = 20_000;

describe.each([
  ['Postgres', postgres],
  ['Redis', redis],
] as const)('while %s is away', { timeout: 240_000 }, (_name, begin) => {
  const over: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of over.splice(0).toReversed()) await end();
  });

  const start = async (): Promise<{ store: Outage; server: ServerInProcess }> => {
    const store = await begin();
    over.push(() => store.remove());
    const server = await ServerInProcess.start({
      script: 'test/skew/server.ts',
      store: store.url,
      env: { LEASE_MS: '120000' },
    });
    over.push(() => server.kill());
    return { store, server };
  };
  const submit = (server: ServerInProcess): Promise<Response> =>
    fetch(`${server.origin}/work`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"ms":1}',
    });

  it('submits answer 503 and when to come back, other routes go on, and no restart is needed', async () => {
    const { store, server } = await start();
    expect((await submit(server)).status).toBe(202);
    await store.kill();
    for (let i = 0; i < 3; i += 1) {
      const askedAt = performance.now();
      const refused = await submit(server);
      expect(performance.now() - askedAt).toBeLessThan(PROMPT_MS);
      expect(refused.status).toBe(503);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(problemSchema.parse(await refused.json()).code).toBe('store_unavailable');
      expect((await fetch(`${server.origin}/clock`)).status).toBe(200);
    }
    await store.start();
    await expect.poll(async () => (await submit(server)).status, PATIENT).toBe(202);
  });

  it('handlers go on, and what they made is stored when it is back', async () => {
    const { store, server } = await start();
    const client = new DurableClient(server.origin);
    const operation = await client.submit('/work', { ms: 1_500 });
    for await (const { event_type: type } of operation.observe()) {
      if (type === 'intent.progress') break;
    }
    await store.kill();
    // The handler ends meanwhile: nobody is there to ask whether it has.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await store.start();
    const { pathname } = new URL(operation.url);
    const status = async (): Promise<unknown> => {
      const response = await fetch(server.origin + pathname);
      return response.ok ? response.json() : null;
    };
    await expect.poll(status, PATIENT).toMatchObject({ status: 'COMPLETED', attempt: 1 });
    expect(await operation.result()).toMatchObject({ attempt: 1 });
  });
});
