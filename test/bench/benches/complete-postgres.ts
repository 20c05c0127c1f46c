import type { Bench } from '../bench.ts';
import { completedRate, measureAll, ratio } from '../rates.ts';
import { withPostgres } from '../store-servers.ts';

const OPTIONS = { connections: 128, seconds: 4 };

/** Submit to completed, sustained, through one process on Postgres, against peers on the same server. */
export const bench: Bench = () =>
  withPostgres(async (env) => {
    const on = (name: string) => () => completedRate(name, env, OPTIONS);
    const rates = await measureAll({
      ours: on('express'),
      pgBoss: on('pg-boss'),
      graphileWorker: on('graphile-worker'),
      bullmq: on('bullmq-postgres'),
      dbos: on('dbos'),
    });
    return {
      ...OPTIONS,
      ...rates,
      ratioToBestPeer: ratio(rates, 'ours', 'pgBoss', 'graphileWorker', 'bullmq', 'dbos'),
      target: '>= 4',
    };
  });
