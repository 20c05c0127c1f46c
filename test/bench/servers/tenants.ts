import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { durableApi } from '@durable-api/express';
import express, { type Request, type Response } from 'express';
import { listen } from './listen.ts';
import { openStore } from './open-store.ts';

/** What takes a tenth of a second and no processor, as most handlers do. */
async function work(_req: Request, res: Response): Promise<void> {
  await delay(100);
  res.json({ done: true });
}

const api = durableApi({ store: openStore(), concurrency: 20, storeTimeoutMs: 30_000 });
const app = express();
const { KEYED = '1' } = process.env;
app.use(
  '/op',
  express.json(),
  api.operation(work, KEYED === '1' ? { key: (req) => req.body.tenant } : {}),
);
await api.ready();
listen(createServer(app));
