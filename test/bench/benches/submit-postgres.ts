import type { Bench } from '../bench.ts';
import { measureAll, ratio, submitRate } from '../rates.ts';
import { withPostgres } from '../store-servers.ts';

const OPTIONS = { connections: 128, seconds: 4 };

/** Submits through Express on Postgres, against the bare route and against peers on the same server. */
export const bench: Bench = () =>
  withPostgres(async (env) => {
    const on = (name: string) => () => submitRate(name, { ...env, WORKER: '0' }, OPTIONS);
    const rates = await measureAll({
      bare: () => submitRate('express', { MODE: 'bare' }, OPTIONS),
      ours: on('express'),
      pgBoss: on('pg-boss'),
      graphileWorker: on('graphile-worker'),
      bullmq: on('bullmq-postgres'),
      dbos: on('dbos'),
    });
    return {
      ...OPTIONS,
      ...rates,
      ratioToBare: ratio(rates, 'ours', 'bare'),
      ratioToBestPeer: ratio(rates, 'ours', 'pgBoss', 'graphileWorker', 'bullmq', 'dbos'),
      target: '>= 0.55 of bare, >= 4 of the best peer',
    };
  });
