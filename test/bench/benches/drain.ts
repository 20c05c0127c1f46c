import type { Bench } from '../bench.ts';
import { drainRate } from '../drain-rate.ts';
import { measureAll, ratio } from '../rates.ts';
import { withPostgres, withRedis } from '../store-servers.ts';

/** One process drains 20,000 stored no-op intents, on Postgres and Redis, against peers on the same servers. */
export const bench: Bench = () =>
  withPostgres((postgres) =>
    withRedis('everysec', async (redis) => {
      const rates = await measureAll({
        postgres: () => drainRate('durable', postgres),
        pgBoss: () => drainRate('pg-boss', postgres),
        graphileWorker: () => drainRate('graphile-worker', postgres),
        redis: () => drainRate('durable', redis),
        bullmq: () => drainRate('bullmq', redis),
      });
      return {
        ...rates,
        redisToBullmq: ratio(rates, 'redis', 'bullmq'),
        postgresToBestPeer: ratio(rates, 'postgres', 'pgBoss', 'graphileWorker'),
        target: 'Redis >= 1 of BullMQ, Postgres >= 30,000/s where pg-boss has 35,300',
      };
    }),
  );
