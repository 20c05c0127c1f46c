import { setTimeout as delay } from 'node:timers/promises';
import { durable, durableApi, RetryAfterError } from '@durable-api/express';
import { storeFromUrl } from '@durable-api/example-reports';
import express, { type Request } from 'express';

const { STORE = '', PORT = '0', LEASE_MS = '2000' } = process.env;

/** What the operation is sent. */
export interface SkewWork {
  /** How long it works. */
  readonly ms?: number;
  /** What its first attempt asks for, in ms, when it fails. */
  readonly retryAfterMs?: number;
}

/** Works or fails as it is told, and says which attempt it was and what time it was then. */
async function work(req: Request): Promise<object> {
  const { attempt, signal, progress } = durable(req);
  const { ms = 0, retryAfterMs }: SkewWork = req.body;
  progress(0.1);
  if (retryAfterMs !== undefined && attempt === 1) {
    throw new RetryAfterError('Not now.', retryAfterMs);
  }
  await delay(ms, undefined, { signal });
  return { attempt, clock: Date.now(), pid: process.pid };
}

const api = durableApi({ store: storeFromUrl(STORE), leaseMs: Number(LEASE_MS) });
const app = express();
app.use('/work', express.json(), api.operation(work, { name: 'work' }));
app.use('/hasty', express.json(), api.operation(work, { name: 'hasty', deadlineMs: 2_000 }));
app.use(
  '/limited',
  express.json(),
  api.operation(work, {
    name: 'limited',
    rateLimit: { limit: 4, periodMs: 1_000 },
    concurrency: { perProcess: 2 },
  }),
);
app.get('/clock', (_req, res) => {
  res.json(Date.now());
});
app.listen(Number(PORT), '127.0.0.1', () => console.log('listening'));
