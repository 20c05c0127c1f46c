import { randomUUID } from 'node:crypto';
import { storeConformance } from '@durable-api/conformance';
import { redisStore } from '@durable-api/store-redis';
import { afterAll, beforeAll } from 'vitest';
import { RedisServer } from './support/redis-server.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

for (const shards of [1, 8]) {
  storeConformance(`redisStore with ${shards} shards`, {
    capabilities: { durability: 'power-loss', shared: true, watches: true, clock: 'store' },
    create() {
      const prefix = randomUUID();
      return {
        open: () => redisStore({ url: server.url, prefix, shards }),
        dispose: () => {},
      };
    },
  });
}
