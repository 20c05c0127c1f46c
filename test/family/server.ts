import { setTimeout as delay } from 'node:timers/promises';
import { storeFromUrl } from '@durable-api/example-reports';
import { durable, durableApi } from '@durable-api/express';
import express, { type Request } from 'express';

const { STORE = '', PORT = '0', LEASE_MS = '2000' } = process.env;

const api = durableApi({
  store: storeFromUrl(STORE),
  leaseMs: Number(LEASE_MS),
  concurrency: 20,
  storeTimeoutMs: 30_000,
});

/** Gives its number back, after a while or never. */
async function leaf(req: Request): Promise<{ readonly n: number }> {
  const { waitFor } = durable(req);
  if (req.body.ms === null) await waitFor('never');
  await delay(req.body.ms);
  return { n: req.body.n };
}

const leaves = api.operation(leaf);

/** Starts as many children as it is told, and adds up what they give. */
async function fan(req: Request): Promise<{ readonly sum: number }> {
  const { start } = durable(req);
  const { count, ms } = req.body;
  const numbers = Array.from({ length: count }, (_, n) => n);
  const children = await Promise.all(numbers.map((n) => start(leaves, { n, ms })));
  const results = await Promise.all(children.map((child) => child.result()));
  return { sum: results.reduce((sum, { n }) => sum + n, 0) };
}

const app = express();
app.use('/leaf', express.json(), leaves);
app.use('/fan', express.json(), api.operation(fan));
app.listen(Number(PORT), '127.0.0.1', () => console.log('listening'));
