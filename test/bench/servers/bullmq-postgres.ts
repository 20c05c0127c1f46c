import { createPostgresBackend, Queue, setDefaultBackendFactory, Worker } from 'bullmq';
import { answer, servePeer, type Body } from './serve-peer.ts';

const { STORE_URL = '', WORKER = '1' } = process.env;

setDefaultBackendFactory(createPostgresBackend);
const connection = { connectionString: STORE_URL, max: 20, migrate: true };
const queue = new Queue('op', { connection, defaultJobOptions: { removeOnComplete: true } });
await queue.waitUntilReady();
if (WORKER === '1') {
  const run = async ({ data }: { data: Body }): Promise<object> => answer(data);
  new Worker('op', run, { connection, concurrency: 100 }).on('completed', () => completed());
}
const completed = servePeer(async (body) => (await queue.add('op', body)).id ?? '');
