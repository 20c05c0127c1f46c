import { randomUUID } from 'node:crypto';
import { isDurableError, type Store } from '@durable-api/core';
import { redisStore } from '@durable-api/store-redis';
import { describe, expect, it, vi } from 'vitest';
import { ask, commandCounts } from './support/ask.ts';
import { CutProxy } from './support/cut-proxy.ts';
import { describeWithServer } from './support/describe-with-server.ts';
import { claimAll, completion, seqsOf, submitRequest } from './support/intents.ts';
import { Load } from './support/load.ts';
import { RedisServer } from './support/redis-server.ts';

const PATIENCE = { timeout: 20_000, interval: 20 };

async function open(url: string, timeoutMs = 1_500): Promise<Store> {
  const store = redisStore({ url, prefix: randomUUID(), timeoutMs });
  await store.migrate();
  return store;
}

/** Resolves when the store takes submits again. */
async function recovered(store: Store): Promise<void> {
  await vi.waitFor(() => store.submit([submitRequest()]), PATIENCE);
}

describeWithServer('an outage', () => {
  it.for([1, 8])(
    'that kills the server loses nothing that was acknowledged (shards: %i)',
    { timeout: 60_000 },
    async (shards) => {
      await using server = await RedisServer.start({ appendfsync: 'always' });
      const load = await crashUnderLoad(server, shards);
      const store = redisStore({ url: server.url, prefix: 'crash', timeoutMs: 30_000 });
      await store.migrate();
      expect(store.capabilities.durability).toBe('power-loss');
      await load.verify(store);
      await store.close();
    },
  );

  it('that kills a server which only keeps things in memory loses them: the test above can fail', async () => {
    await using server = await RedisServer.start({ appendonly: 'no' });
    const { acknowledged } = await crashUnderLoad(server, 1);
    const store = redisStore({
      url: server.url,
      prefix: 'crash',
      acceptDurability: 'volatile',
      timeoutMs: 30_000,
    });
    await store.migrate();
    expect(store.capabilities.durability).toBe('none');
    const found = await store.get({ ids: [...acknowledged.keys()] });
    expect(found.filter((each) => each === undefined).length).toBeGreaterThan(0);
    await store.close();
  });

  it('makes calls fail at once as store_unavailable, and ends without a restart', async () => {
    await using server = await RedisServer.start();
    const store = await open(server.url, 30_000);
    await server.kill();
    const failing = store.submit([submitRequest()]);
    await expect(failing).rejects.toMatchObject({ code: 'store_unavailable', status: 503 });
    const begunAt = performance.now();
    await expect(store.submit([submitRequest()])).rejects.toMatchObject({
      code: 'store_unavailable',
      options: { retryAfterSeconds: 1 },
    });
    // A call that waits for the server takes 30 s.
    expect(performance.now() - begunAt).toBeLessThan(10_000);
    await expect(claimAll(store)).rejects.toMatchObject({ code: 'store_unavailable' });
    await server.restart();
    await recovered(store);
    await store.close();
  });

  it('at the start makes migrate fail, and the next migrate succeed', async () => {
    await using server = await RedisServer.start();
    await server.kill();
    const store = redisStore({ url: server.url });
    await expect(store.migrate()).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(store.submit([submitRequest()])).rejects.toMatchObject({
      code: 'store_unavailable',
    });
    await server.restart();
    await vi.waitFor(() => store.migrate(), PATIENCE);
    expect(await store.submit([submitRequest()])).toEqual([{ outcome: 'created' }]);
    await store.close();
  });

  it('of a server that hangs makes calls fail in time, and ends when it goes on', async () => {
    await using server = await RedisServer.start();
    const store = await open(server.url, 300);
    server.signal('SIGSTOP');
    const begunAt = performance.now();
    await expect(store.submit([submitRequest()])).rejects.toMatchObject({
      code: 'store_unavailable',
      message: 'Redis did not answer within 300 ms.',
    });
    expect(performance.now() - begunAt).toBeLessThan(10_000);
    server.signal('SIGCONT');
    await recovered(store);
    await store.close();
  });

  it('of a server that hangs for good is noticed, and its connections replaced', async () => {
    await using server = await RedisServer.start();
    await using proxy = await CutProxy.start(server.port);
    const store = await open(proxy.url, 300);
    proxy.isSwallowing = true;
    await expect(store.submit([submitRequest()])).rejects.toMatchObject({
      code: 'store_unavailable',
    });
    // The connection is counted as dead after 5 s of silence; the next one gets answers.
    await vi.waitFor(async () => {
      const clients = String(await ask(server, (client) => client.client('LIST')));
      if (clients.includes('name=durable-api')) throw new Error('It is connected still.');
    }, PATIENCE);
    proxy.isSwallowing = false;
    await recovered(store);
    await store.close();
  });

  describe('in the middle of a write', () => {
    it('leaves a submit that can be repeated', async () => {
      await using server = await RedisServer.start();
      await using proxy = await CutProxy.start(server.port);
      const store = await open(proxy.url);
      // The scripts are there then, so that the next submit is one call.
      await store.submit([submitRequest()]);
      await ask(server, (client) => client.config('RESETSTAT'));
      const request = submitRequest({ key: 'key' });
      proxy.isSwallowing = true;
      const lost = store.submit([request]).catch((error: unknown) => error);
      await written(server, 'hset');
      proxy.cut();
      expect(isDurableError(await lost)).toBe(true);
      proxy.isSwallowing = false;
      await recovered(store);
      const { record } = request;
      expect(await store.submit([request])).toEqual([{ outcome: 'exists', record }]);
      expect(await seqsOf(store, record.id)).toEqual([1, 2]);
      await store.close();
    });

    it('leaves a commit that, repeated, finds what it has written', async () => {
      await using server = await RedisServer.start();
      await using proxy = await CutProxy.start(server.port);
      const store = await open(proxy.url);
      await store.submit([submitRequest(), submitRequest()]);
      const [claimed, other] = await claimAll(store);
      if (claimed === undefined || other === undefined) throw new Error('They were not claimed.');
      await store.commit([completion(other.record)]);
      const commit = completion(claimed.record);
      await ask(server, (client) => client.config('RESETSTAT'));
      proxy.isSwallowing = true;
      const lost = store.commit([commit]).catch((error: unknown) => error);
      await written(server, 'hset');
      proxy.cut();
      expect(await lost).toMatchObject({ code: 'store_unavailable' });
      proxy.isSwallowing = false;
      await recovered(store);
      expect(await store.commit([commit])).toEqual([{ outcome: 'stale' }]);
      const { id } = commit.record;
      const [found] = await store.get({ ids: [id], include: 'result' });
      expect(found?.record).toEqual(commit.record);
      expect(found?.result).toEqual(commit.result);
      expect(await seqsOf(store, id)).toEqual([1, 2, 3, 4, 5]);
      await store.close();
    });
  });
});

/** Loads the server and kills it five times meanwhile. */
async function crashUnderLoad(server: RedisServer, shards: number): Promise<Load> {
  const url = server.url;
  const store = redisStore({ url, prefix: 'crash', shards, acceptDurability: 'volatile' });
  await store.migrate();
  const load = new Load(store);
  for (let kills = 1; kills <= 5; kills += 1) {
    await load.more(400);
    await server.kill();
    await server.restart();
  }
  await load.stop();
  await store.close();
  return load;
}

/** Resolves when the server has done one such command of a script. */
async function written(server: RedisServer, command: string): Promise<void> {
  await vi.waitFor(async () => {
    if (!(await commandCounts(server)).has(command)) throw new Error('Nothing was written yet.');
  }, PATIENCE);
}
