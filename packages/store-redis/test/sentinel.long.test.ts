import { randomUUID } from 'node:crypto';
import type { WatchHint } from '@durable-api/core';
import { redisStore } from '@durable-api/store-redis';
import { expect, it, vi } from 'vitest';
import { ask } from './support/ask.ts';
import { describeWithServer } from './support/describe-with-server.ts';
import { submitRequest } from './support/intents.ts';
import { Load } from './support/load.ts';
import { RedisSentinel } from './support/redis-sentinel.ts';
import { RedisServer } from './support/redis-server.ts';

const PATIENCE = { timeout: 60_000, interval: 20 };

describeWithServer('behind a Sentinel', () => {
  it(
    'a store goes on at the next master, and has lost nothing that a replica had confirmed',
    { timeout: 240_000 },
    async () => {
      await using master = await RedisServer.start();
      await using replica = await RedisServer.start({ replicaof: ['127.0.0.1', `${master.port}`] });
      await vi.waitFor(async () => {
        const confirmed = await ask(master, async (client) => {
          await client.set('probe', 1);
          return client.wait(1, 5_000);
        });
        expect(confirmed).toBe(1);
      }, PATIENCE);
      await using sentinel = await RedisSentinel.start(master);
      const common = { client: sentinel.client(), prefix: randomUUID(), timeoutMs: 10_000 };
      const store = redisStore({ ...common, requireReplicas: 1 });
      await store.migrate();
      const hints: WatchHint[] = [];
      store.watch((hint) => hints.push(hint));
      const load = new Load(store);
      await load.more(500);
      await master.kill();
      await load.stop();
      // No replica is left to confirm anything.
      const after = redisStore(common);
      await vi.waitFor(() => after.migrate(), PATIENCE);
      const [role] = await ask(replica, (client) => client.role());
      expect(role).toBe('master');
      expect(load.acknowledged.size).toBeGreaterThanOrEqual(500);
      await load.verify(after);
      // The first one has found the new master too, and hears what others write there.
      await vi.waitFor(() => store.stats(), PATIENCE);
      await vi.waitFor(async () => {
        const request = submitRequest();
        await after.submit([request]);
        const told = (): void =>
          expect(hints.some(({ ids }) => ids?.includes(request.record.id))).toBe(true);
        await vi.waitFor(told, { timeout: 1_000 });
      }, PATIENCE);
      await after.close();
      await store.close();
    },
  );
});
