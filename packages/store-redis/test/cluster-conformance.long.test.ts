import { randomUUID } from 'node:crypto';
import { storeConformance } from '@durable-api/conformance';
import { redisStore } from '@durable-api/store-redis';
import { afterAll, beforeAll } from 'vitest';
import { describeWithServer } from './support/describe-with-server.ts';
import { RedisCluster } from './support/redis-cluster.ts';

describeWithServer('on a Cluster of three masters', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await RedisCluster.start();
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  storeConformance('redisStore', {
    capabilities: { durability: 'power-loss', shared: true, watches: true, clock: 'store' },
    create() {
      const prefix = randomUUID();
      return {
        open: () => redisStore({ client: cluster.client(), prefix, timeoutMs: 30_000 }),
        dispose: () => {},
      };
    },
  });
});
