import { randomUUID } from 'node:crypto';
import { DurableApi, type Store, type WatchHint } from '@durable-api/core';
import { redisStore } from '@durable-api/store-redis';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ask, commandCounts } from './support/ask.ts';
import { CutProxy } from './support/cut-proxy.ts';
import { describeWithServer } from './support/describe-with-server.ts';
import { claimAll, completion, submitRequest } from './support/intents.ts';
import { RedisServer } from './support/redis-server.ts';

const PATIENCE = { timeout: 20_000, interval: 10 };

async function open(server: RedisServer, prefix: string): Promise<Store> {
  const store = redisStore({ url: server.url, prefix, timeoutMs: 30_000 });
  await store.migrate();
  return store;
}

/** Watches, and resolves once the channels are subscribed; later hints are gathered. */
async function watched(store: Store): Promise<WatchHint[]> {
  const hints: WatchHint[] = [];
  store.watch((hint) => hints.push(hint));
  await vi.waitFor(() => expect(hints).toContainEqual({ ids: null }), PATIENCE);
  hints.length = 0;
  return hints;
}

/** Waits until all is to be looked at again, and then for the hint of a submit that `other` makes. */
async function heardAgain(hints: readonly WatchHint[], other: Store): Promise<void> {
  await vi.waitFor(() => expect(hints).toContainEqual({ ids: null }), PATIENCE);
  const request = submitRequest();
  await other.submit([request]);
  await vi.waitFor(() => expect(hints).toContainEqual({ ids: [request.record.id] }), PATIENCE);
}

describeWithServer('hints', () => {
  afterEach(() => vi.useRealTimers());

  it('are of others only', async () => {
    await using server = await RedisServer.start();
    const prefix = randomUUID();
    const [store, other] = [await open(server, prefix), await open(server, prefix)];
    const hints = await watched(store);
    const [own, foreign] = [submitRequest(), submitRequest()];
    await store.submit([own]);
    await other.submit([foreign]);
    await vi.waitFor(() => expect(hints).not.toEqual([]), PATIENCE);
    expect(hints).toEqual([{ ids: [foreign.record.id] }]);
    await store.close();
    await other.close();
  });

  it('that come close together are one', async () => {
    await using server = await RedisServer.start();
    const prefix = randomUUID();
    const [store, other] = [await open(server, prefix), await open(server, prefix)];
    const hints = await watched(store);
    const requests = Array.from({ length: 500 }, () => submitRequest());
    const begunAt = performance.now();
    await Promise.all(requests.map((request) => other.submit([request])));
    const ids = (): unknown[] => hints.flatMap((hint) => hint.ids ?? []);
    await vi.waitFor(() => expect(ids()).toHaveLength(500), PATIENCE);
    const tookMs = performance.now() - begunAt;
    expect(new Set(ids())).toEqual(new Set(requests.map(({ record }) => record.id)));
    expect(hints.length).toBeLessThanOrEqual(tookMs / 10 + 1);
    await store.close();
    await other.close();
  });

  it('that a lost connection may have swallowed are made up for, and then go on', async () => {
    await using server = await RedisServer.start();
    const prefix = randomUUID();
    const [store, other] = [await open(server, prefix), await open(server, prefix)];
    const hints = await watched(store);
    await ask(server, (client) => client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
    await heardAgain(hints, other);
    await store.close();
    await other.close();
  });

  it('of a connection that is dead without a word come again once it was probed, after 15 s', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    await using server = await RedisServer.start();
    await using proxy = await CutProxy.start(server.port);
    const prefix = randomUUID();
    const store = redisStore({ url: proxy.url, prefix, timeoutMs: 30_000 });
    await store.migrate();
    const other = await open(server, prefix);
    const hints = await watched(store);
    proxy.mute();
    await vi.advanceTimersByTimeAsync(15_000);
    await heardAgain(hints, other);
    await store.close();
    await other.close();
  });

  it('ask nothing over a connection that they come by', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    await using server = await RedisServer.start();
    const prefix = randomUUID();
    const [store, other] = [await open(server, prefix), await open(server, prefix)];
    const hints = await watched(store);
    const pings = async (): Promise<number> => (await commandCounts(server)).get('ping') ?? 0;
    const before = await pings();
    for (let i = 0; i < 4; i += 1) {
      await other.submit([submitRequest()]);
      await vi.waitFor(() => expect(hints).toHaveLength(i + 1), PATIENCE);
      await vi.advanceTimersByTimeAsync(15_000 - 1);
    }
    expect(await pings()).toBe(before);
    await vi.advanceTimersByTimeAsync(30_000);
    await vi.waitFor(async () => expect(await pings()).toBeGreaterThan(before), PATIENCE);
    await store.close();
    await other.close();
  });

  it('come without messages too: each minute while subscribed, each 5 s while not', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    await using server = await RedisServer.start();
    const store = await open(server, randomUUID());
    const hints = await watched(store);
    await vi.advanceTimersByTimeAsync(59_000);
    expect(hints).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    await vi.waitFor(() => expect(hints).toEqual([{ ids: null }]), PATIENCE);
    hints.length = 0;
    await server.kill();
    // How it learns of the loss is not the clock's doing.
    await vi.waitFor(async () => {
      await vi.advanceTimersByTimeAsync(5_000);
      expect(hints).toContainEqual({ ids: null });
    }, PATIENCE);
    hints.length = 0;
    await vi.advanceTimersByTimeAsync(5_000);
    await vi.waitFor(() => expect(hints).toEqual([{ ids: null }]), PATIENCE);
    await store.close();
  });

  it('end with the last watcher, and so does the subscription', async () => {
    await using server = await RedisServer.start();
    const store = await open(server, randomUUID());
    const ends = [store.watch(() => {}), store.watch(() => {})];
    const subscriptions = async (): Promise<number> => {
      const channels = await ask(server, (client) => client.call('PUBSUB', 'SHARDCHANNELS'));
      return Array.isArray(channels) ? channels.length : -1;
    };
    await vi.waitFor(async () => expect(await subscriptions()).toBe(1), PATIENCE);
    ends[0]?.();
    expect(await subscriptions()).toBe(1);
    ends[1]?.();
    await vi.waitFor(async () => expect(await subscriptions()).toBe(0), PATIENCE);
    store.watch(() => {});
    await vi.waitFor(async () => expect(await subscriptions()).toBe(1), PATIENCE);
    await store.close();
    await vi.waitFor(async () => expect(await subscriptions()).toBe(0), PATIENCE);
  });
});

describe('an idle API', () => {
  describeWithServer('on Redis', () => {
    it('asks the server for nothing', async () => {
      await using server = await RedisServer.start();
      const prefix = randomUUID();
      const store = await open(server, prefix);
      const api = new DurableApi({ store });
      const done = Promise.withResolvers<void>();
      api.declare({
        name: 'report',
        run: async () => {
          done.resolve();
          return { status: 200, headers: {}, body: new Uint8Array() };
        },
      });
      await api.ready();
      const other = await open(server, prefix);
      await other.submit([submitRequest()]);
      await done.promise;
      await vi.waitFor(
        async () => expect((await other.stats()).byStatus).toEqual({ COMPLETED: 1 }),
        PATIENCE,
      );
      await other.close();
      // It has nothing to do now. That nothing happens can only be seen by looking for a while.
      await new Promise((resolve) => setTimeout(resolve, 500));
      await ask(server, (client) => client.config('RESETSTAT'));
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      const counts = await commandCounts(server);
      for (const name of [
        // The connection that is listened on is probed each 15 s.
        'ping',
        'info',
        'config|resetstat',
        'hello',
        'client|setinfo',
        'client|setname',
      ]) {
        counts.delete(name);
      }
      expect(counts).toEqual(new Map());
      await api.stop();
    });
  });
});

describeWithServer('the memory of ended intents', () => {
  it.for([1, 8])('is given back by prune (shards: %i)', async (shards) => {
    await using server = await RedisServer.start();
    const prefix = randomUUID();
    const store = redisStore({ url: server.url, prefix, shards, timeoutMs: 30_000 });
    await store.migrate();
    const keys = (): Promise<string[]> => ask(server, (client) => client.keys(`{${prefix}:*`));
    const before = new Set(await keys());
    for (let round = 0; round < 3; round += 1) {
      const batch = Array.from({ length: 300 }, (_, i) =>
        submitRequest(i % 2 === 0 ? {} : { key: randomUUID() }),
      );
      await store.submit(batch);
      await store.commit((await claimAll(store)).map(({ record }) => completion(record)));
      const far = Date.now() + 60_000;
      const request = { now: far, endedBefore: far, keyedBefore: far, limit: 200 };
      expect(await store.prune(request)).toBe(200);
      expect(await store.prune(request)).toBe(100);
      expect(await store.prune(request)).toBe(0);
      const left = (await keys()).filter(
        (key) => !before.has(key) && !/:(stats|operations)$/.test(key),
      );
      expect(left).toEqual([]);
      expect((await store.stats()).byStatus).toEqual({});
    }
    await store.close();
  });
});
