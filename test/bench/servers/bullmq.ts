import { createServer } from 'node:http';
import { Queue, QueueEvents, Worker } from 'bullmq';
import express, { type Response } from 'express';
import { Redis } from 'ioredis';
import { listen } from './listen.ts';

const { STORE_URL = 'redis://127.0.0.1:6379', WORKER = '1' } = process.env;

/** The peer: the same route by hand with a queue, which answers a job's end to who waits for it. */
const name = `bench-${process.pid}`;
const connection = new Redis(STORE_URL, { maxRetriesPerRequest: null });
const jobs = { removeOnComplete: true };
const queue = new Queue(name, { connection, defaultJobOptions: jobs });
const ends = new QueueEvents(name, { connection: connection.duplicate() });
await ends.waitUntilReady();
const streams = new Map<string, Response>();
let completedCount = 0;
let jobCount = 0;

if (WORKER === '1') {
  const run = async ({ data }: { data: { quarter: string } }): Promise<object> => ({
    ok: true,
    quarter: data.quarter,
  });
  new Worker(name, run, { connection: connection.duplicate(), concurrency: 100 }).on(
    'completed',
    () => (completedCount += 1),
  );
}
ends.on('completed', ({ jobId }) => {
  streams.get(jobId)?.end(`event: intent.completed\n\n`);
  streams.delete(jobId);
});

const app = express();
app.post('/op', express.json(), async (req, res) => {
  const jobId = `job-${(jobCount += 1)}`;
  const isStream = req.headers.accept === 'text/event-stream';
  if (isStream) streams.set(jobId, res);
  await queue.add('op', req.body, { jobId });
  if (isStream && !res.writableEnded) {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('event: intent.created\n\n');
  } else if (!isStream) res.status(202).json({ ok: true, intent_id: jobId });
});
app.get('/completed', (_req, res) => {
  res.json(completedCount);
});
listen(createServer(app));
