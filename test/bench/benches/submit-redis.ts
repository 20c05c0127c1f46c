import type { Bench } from '../bench.ts';
import { measureAll, ratio, submitRate } from '../rates.ts';
import { withRedis } from '../store-servers.ts';

const OPTIONS = { connections: 128, seconds: 4 };

/** Submits through Express on Redis, against the bare route and against BullMQ with the same AOF. */
export const bench: Bench = () =>
  withRedis('everysec', (everysec) =>
    withRedis('always', async (always) => {
      const off = { WORKER: '0' };
      const rates = await measureAll({
        bare: () => submitRate('express', { MODE: 'bare' }, OPTIONS),
        everysec: () => submitRate('express', { ...everysec, ...off }, OPTIONS),
        everysecBullmq: () => submitRate('bullmq', { ...everysec, ...off }, OPTIONS),
        always: () => submitRate('express', { ...always, ...off }, OPTIONS),
        alwaysBullmq: () => submitRate('bullmq', { ...always, ...off }, OPTIONS),
      });
      return {
        ...OPTIONS,
        ...rates,
        everysecToBullmq: ratio(rates, 'everysec', 'everysecBullmq'),
        alwaysToBullmq: ratio(rates, 'always', 'alwaysBullmq'),
        everysecToBare: ratio(rates, 'everysec', 'bare'),
        target: '>= 1 of BullMQ, about 0.85 of bare',
      };
    }),
  );
