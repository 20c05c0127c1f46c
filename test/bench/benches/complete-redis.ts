import type { Bench } from '../bench.ts';
import { completedRate, measureAll, ratio } from '../rates.ts';
import { withRedis } from '../store-servers.ts';

const OPTIONS = { connections: 128, seconds: 4 };

/** Submit to completed, sustained, through one process on Redis, against BullMQ with the same AOF. */
export const bench: Bench = () =>
  withRedis('everysec', (everysec) =>
    withRedis('always', async (always) => {
      const rates = await measureAll({
        everysec: () => completedRate('express', everysec, OPTIONS),
        everysecBullmq: () => completedRate('bullmq', everysec, OPTIONS),
        always: () => completedRate('express', always, OPTIONS),
        alwaysBullmq: () => completedRate('bullmq', always, OPTIONS),
      });
      return {
        ...OPTIONS,
        ...rates,
        everysecToBullmq: ratio(rates, 'everysec', 'everysecBullmq'),
        alwaysToBullmq: ratio(rates, 'always', 'alwaysBullmq'),
        target: '>= 1',
      };
    }),
  );
