import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { measure } from './drain.ts';

const connection = new Redis(process.env['STORE_URL'] ?? '', { maxRetriesPerRequest: null });
const queue = new Queue('op', { connection, defaultJobOptions: { removeOnComplete: true } });

await measure({
  async fill(count) {
    const batch = Array.from({ length: 1_000 }, () => ({ name: 'op', data: { quarter: 'Q3' } }));
    for (let i = 0; i < count; i += batch.length) await queue.addBulk(batch);
  },
  async start(completed) {
    const run = async (): Promise<object> => ({ ok: true });
    const options = { connection: connection.duplicate(), concurrency: 200 };
    const worker = new Worker('op', run, options).on('completed', () => completed());
    return () => worker.close();
  },
});
