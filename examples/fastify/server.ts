import { buildPage, storeFromUrl, tenantOf } from '@durable-api/example-reports';
import durableApi from '@durable-api/fastify';
import fastifyStatic from '@fastify/static';
import fastify from 'fastify';
import { generateReport } from './generate-report.ts';

const port = Number(process.env['PORT'] ?? 3000);
const app = fastify();

await app.register(durableApi, {
  store: storeFromUrl(process.env['STORE'] ?? 'sqlite:./operations.db'),
  identify: (request) => tenantOf(request.headers.authorization) ?? 'public',
});
await app.register(fastifyStatic, { root: await buildPage() });

app.post('/reports/generate', { config: { durable: true } }, generateReport);

// A scope with its own auth: what stands before the submit stands before its intents too.
await app.register(
  async (scope) => {
    scope.addHook('onRequest', async (request, reply) => {
      if (tenantOf(request.headers.authorization) !== null) return;
      await reply.code(401).send({ error: 'Send Authorization: Bearer tenant-a, or tenant-b.' });
    });
    scope.post('/reports', { config: { durable: true } }, generateReport);
  },
  { prefix: '/private' },
);

await app.listen({ port, host: '127.0.0.1' });
console.log(`The report service listens on http://127.0.0.1:${port}`);

process.once('SIGTERM', () => void app.close());
