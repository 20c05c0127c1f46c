import { setTimeout as delay } from 'node:timers/promises';
import { durable, durableApi } from '@durable-api/express';
import { storeFromUrl } from '@durable-api/example-reports';
import express, { type Request, type Response } from 'express';
import { withoutFence } from './without-fence.ts';

const { STORE = '', PORT = '0', LEASE_MS = '2000', SABOTAGE = '' } = process.env;

/** Works for as long as it is told and says which attempt it was that answered. */
async function work(req: Request, res: Response): Promise<void> {
  const { attempt, progress } = durable(req);
  await delay(req.body.ms / 2);
  progress(0.5);
  await delay(req.body.ms / 2);
  res.json({ attempt });
}

const store = storeFromUrl(STORE);
const api = durableApi({
  store: SABOTAGE === 'fence' ? withoutFence(store) : store,
  leaseMs: Number(LEASE_MS),
  // Chaos may hit one intent many times; it shall not end for that.
  defaults: { maxLostLeases: 1_000 },
});
const app = express();
app.use('/work', express.json(), api.operation(work));
app.listen(Number(PORT), '127.0.0.1', () => console.log('listening'));
