import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { durable, durableApi } from '@durable-api/express';
import { storeFromUrl } from '@durable-api/example-reports';
import express, { type Request, type Response } from 'express';

const { STORE = '', PORT = '0', LEASE_MS = '1000', JOURNAL = '', PER_KEY = '1' } = process.env;

/** Notes who works on what, in a file that all processes append to. */
async function work(req: Request, res: Response): Promise<void> {
  const { intentId, attempt, signal } = durable(req);
  const note = (what: string): void => {
    const { pid } = process;
    const line = { what, tenant: req.body.tenant, pid, intentId, attempt, at: Date.now() };
    appendFileSync(JOURNAL, `${JSON.stringify(line)}\n`);
  };
  note('begin');
  await delay(req.body.ms, undefined, { signal }).finally(() => note('end'));
  res.json({ attempt });
}

const api = durableApi({
  store: storeFromUrl(STORE),
  leaseMs: Number(LEASE_MS),
  defaults: { maxLostLeases: 1_000 },
});
const app = express();
app.use(
  '/work',
  express.json(),
  api.operation(work, {
    key: (req) => req.body.tenant,
    ...(PER_KEY !== '' && { concurrency: { perKey: Number(PER_KEY) } }),
  }),
);
app.listen(Number(PORT), '127.0.0.1', () => console.log('listening'));
