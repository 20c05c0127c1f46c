import { storeFromUrl } from '@durable-api/example-reports';
import durableApi, { durable } from '@durable-api/fastify';
import fastify from 'fastify';
import { work, type Work } from './work.ts';

const { STORE = '', PORT = '0', LEASE_MS = '1000' } = process.env;

const app = fastify();
await app.register(durableApi, {
  store: storeFromUrl(STORE),
  leaseMs: Number(LEASE_MS),
  graceMs: 0,
});
app.post<{ Body: Work }>('/work', { config: { durable: { name: 'work' } } }, (request) =>
  work(request.body, durable(request)),
);
await app.listen({ port: Number(PORT), host: '127.0.0.1' });
console.log('listening');
process.once('SIGTERM', () => void app.close());
