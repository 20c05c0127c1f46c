import { Logger, makeWorkerUtils, run, runMigrations } from 'graphile-worker';
import { Pool } from 'pg';
import { answer, servePeer } from './serve-peer.ts';

const { STORE_URL = '', WORKER = '1' } = process.env;

const pgPool = new Pool({ connectionString: STORE_URL, max: 10 });
pgPool.on('error', () => {});
pgPool.on('connect', (client) => client.on('error', () => {}));
const logger = new Logger(() => () => {});
await runMigrations({ pgPool, logger });
const utils = await makeWorkerUtils({ pgPool, logger });
if (WORKER === '1') {
  const taskList = {
    op: async (payload: unknown): Promise<void> => {
      answer({ quarter: String(Reflect.get(Object(payload), 'quarter')) });
      completed();
    },
  };
  const worker = { localQueue: { size: 200 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
  await run({
    pgPool,
    logger,
    taskList,
    concurrency: 100,
    preset: { worker },
    noHandleSignals: true,
  });
}
const completed = servePeer(async (body) => (await utils.addJob('op', body)).id);
