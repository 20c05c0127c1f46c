import { durable, durableApi } from '@durable-api/express';
import { storeFromUrl } from '@durable-api/example-reports';
import express, { type Request } from 'express';

const { STORE = '', PORT = '0', LEASE_MS = '2000' } = process.env;

/** Says what it was started for. */
async function tick(req: Request): Promise<{ readonly at: string | undefined }> {
  return { at: durable(req).scheduledFor?.toISOString() };
}

const api = durableApi({
  store: storeFromUrl(STORE),
  leaseMs: Number(LEASE_MS),
  storeTimeoutMs: 30_000,
});
const app = express();
app.use('/tick', express.json(), api.operation(tick, { schedule: '* * * * * *' }));
app.listen(Number(PORT), '127.0.0.1', () => console.log('listening'));
