import { PgBoss } from 'pg-boss';
import { answer, servePeer, type Body } from './serve-peer.ts';

const { STORE_URL = '', WORKER = '1' } = process.env;

const boss = new PgBoss({ connectionString: STORE_URL, max: 10, useListenNotify: true });
boss.on('error', console.error);
await boss.start();
await boss.createQueue('op', { notify: true });
if (WORKER === '1') {
  const options = { batchSize: 100, localConcurrency: 4, burstWhenBatchFull: true };
  await boss.work<Body>('op', { ...options, pollingIntervalSeconds: 0.5 }, async (jobs) => {
    const results = jobs.map(({ data }) => answer(data));
    completed(jobs.length);
    return results;
  });
}
const completed = servePeer(async (body) => (await boss.send('op', body)) ?? '');
