import { Logger, makeWorkerUtils, run, runMigrations } from 'graphile-worker';
import { Pool } from 'pg';
import { measure } from './drain.ts';

const pgPool = new Pool({ connectionString: process.env['STORE_URL'] ?? '', max: 10 });
pgPool.on('error', () => {});
pgPool.on('connect', (client) => client.on('error', () => {}));
const logger = new Logger(() => () => {});
await runMigrations({ pgPool, logger });
const utils = await makeWorkerUtils({ pgPool, logger });

await measure({
  async fill(count) {
    const specs = Array.from({ length: 1_000 }, () => ({
      identifier: 'op',
      payload: { quarter: 'Q3' },
    }));
    for (let i = 0; i < count; i += specs.length) await utils.addJobs(specs);
  },
  async start(completed) {
    const taskList = { op: async (): Promise<void> => completed() };
    const worker = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
    const runner = await run({
      pgPool,
      logger,
      taskList,
      concurrency: 24,
      preset: { worker },
      noHandleSignals: true,
    });
    return () => runner.stop();
  },
});
