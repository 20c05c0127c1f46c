import { randomUUID } from 'node:crypto';
import { storeConformance } from '@durable-api/conformance';
import { redisStore } from '@durable-api/store-redis';
import { afterAll, beforeAll } from 'vitest';
import { describeWithServer } from './support/describe-with-server.ts';
import { RedisServer } from './support/redis-server.ts';
import { removeDataSet, sharedRedisUrl } from './support/shared-redis.ts';

describeWithServer('on a server that appends and syncs always', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  for (const shards of [1, 8]) {
    storeConformance(`redisStore with shards: ${shards}`, {
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
});

const sharedUrl = await sharedRedisUrl();
if (sharedUrl !== null) {
  storeConformance('redisStore on the Redis of this machine, accepted as volatile,', {
    capabilities: { durability: 'none', shared: true, watches: true, clock: 'store' },
    create() {
      const prefix = `test-${randomUUID()}`;
      return {
        open: () => redisStore({ url: sharedUrl, prefix, acceptDurability: 'volatile' }),
        dispose: () => removeDataSet(sharedUrl, prefix),
      };
    },
  });
}
