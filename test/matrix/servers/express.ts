import { storeFromUrl } from '@durable-api/example-reports';
import { durable, durableApi } from '@durable-api/express';
import express, { type Request } from 'express';
import { work } from './work.ts';

const { STORE = '', PORT = '0', LEASE_MS = '1000' } = process.env;

const api = durableApi({ store: storeFromUrl(STORE), leaseMs: Number(LEASE_MS) });
const app = express();
function handle(req: Request): Promise<object> {
  return work(req.body, durable(req));
}
app.use('/work', express.json(), api.operation(handle, { name: 'work' }));
const server = app.listen(Number(PORT), '127.0.0.1', () => console.log('listening'));
process.once('SIGTERM', () => {
  server.close();
  void api.stop({ graceMs: 0 });
});
