import { PgBoss } from 'pg-boss';
import { measure } from './drain.ts';

const BATCH = 1_000;
const boss = new PgBoss({ connectionString: process.env['STORE_URL'] ?? '', max: 10 });
boss.on('error', console.error);
await boss.start();
await boss.createQueue('op');

/** In batches, as its documentation advises for throughput. */
await measure({
  async fill(count) {
    const batch = Array.from({ length: BATCH }, () => ({ data: { quarter: 'Q3' } }));
    for (let i = 0; i < count; i += BATCH) await boss.insert('op', batch);
  },
  async start(completed) {
    const lane = async (): Promise<void> => {
      for (;;) {
        const jobs = await boss.fetch('op', { batchSize: BATCH });
        if (jobs.length === 0) return;
        await boss.complete(
          'op',
          jobs.map(({ id }) => id),
        );
        completed(jobs.length);
      }
    };
    const lanes = Promise.all([lane(), lane()]);
    return () => lanes;
  },
});
