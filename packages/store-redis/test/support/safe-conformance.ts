import { randomUUID } from 'node:crypto';
import { storeConformance } from '@durable-api/conformance';
import { redisStore } from '@durable-api/store-redis';
import { afterAll, beforeAll } from 'vitest';
import { RedisServer } from './redis-server.ts';

/** The cases of all stores, on a server of their own that loses nothing. */
export function conformsOnSafeServer(shards: number): void {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  storeConformance(`redisStore with shards: ${shards}`, {
    capabilities: { durability: 'power-loss', shared: true, watches: true, clock: 'store' },
    create() {
      const prefix = randomUUID();
      return {
        open: () => redisStore({ url: server.url, prefix, shards, timeoutMs: 30_000 }),
        dispose: () => {},
      };
    },
  });
}
