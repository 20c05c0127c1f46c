import { randomUUID } from 'node:crypto';
import { storeConformance } from '@durable-api/conformance';
import { redisStore } from '@durable-api/store-redis';
import { describeWithServer } from './support/describe-with-server.ts';
import { conformsOnSafeServer } from './support/safe-conformance.ts';
import { removeDataSet, sharedRedisUrl } from './support/shared-redis.ts';

describeWithServer('on a server that appends and syncs always', () => conformsOnSafeServer(8));

const sharedUrl = await sharedRedisUrl();
if (sharedUrl !== null) {
  storeConformance('redisStore on the Redis of this machine, accepted as volatile,', {
    capabilities: { durability: 'none', shared: true, watches: true, clock: 'store' },
    create() {
      const prefix = `test-${randomUUID()}`;
      return {
        open: () =>
          redisStore({ url: sharedUrl, prefix, acceptDurability: 'volatile', timeoutMs: 30_000 }),
        dispose: () => removeDataSet(sharedUrl, prefix),
      };
    },
  });
}
