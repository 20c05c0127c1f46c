import { createServer } from 'node:http';
import { memoryStore, type DurableApi } from '@durable-api/core';
import fastify, { type FastifyRequest } from 'fastify';
import { expectTypeOf, it } from 'vitest';
import durableApi, { durable, type AttemptContext } from '../src/index.ts';

const store = memoryStore();

// The plugin registers on every kind of server, with its options known.
void fastify().register(durableApi, { store, graceMs: 1_000, retention: { endedMs: null } });
void fastify({ http2: true }).register(durableApi, { store });
void fastify({ serverFactory: (handler) => createServer(handler) }).register(durableApi, { store });
void fastify({ logger: true }).register(durableApi, {
  store,
  identify: (request) => {
    expectTypeOf(request).toEqualTypeOf<FastifyRequest>();
    return request.headers.authorization ?? '';
  },
});
// @ts-expect-error: a store is needed
void fastify().register(durableApi, {});
// @ts-expect-error: there is no such option
void fastify().register(durableApi, { store, retries: 3 });

const app = fastify();
it('knows the API that the plugin decorates the app with', () => {
  expectTypeOf(app.durableApi).toEqualTypeOf<DurableApi<FastifyRequest>>();
});

// The option is known to every way of declaring a route, and the handler's types flow as before.
app.post<{ Body: { quarter: string }; Reply: { ok: boolean } }>(
  '/a',
  { config: { durable: true } },
  async (request) => {
    expectTypeOf(request.body).toEqualTypeOf<{ quarter: string }>();
    expectTypeOf(durable(request)).toEqualTypeOf<AttemptContext>();
    return { ok: true };
  },
);
app.route({
  method: 'POST',
  url: '/b',
  config: {
    durable: {
      name: 'b',
      retries: 2,
      timeoutMs: 1_000,
      backoff: { baseMs: 10 },
      capture: ['user'],
      restore: (captured, request) => {
        expectTypeOf(captured).toEqualTypeOf<Readonly<Record<string, unknown>>>();
        expectTypeOf(request).toEqualTypeOf<FastifyRequest>();
      },
    },
  },
  handler: async () => ({}),
});
const async = { capture: async (request: FastifyRequest) => ({ ip: request.ip }) };
app.post('/c', { config: { durable: async } }, async () => ({}));

// @ts-expect-error: a duration is a number of milliseconds
app.post('/e', { config: { durable: { timeoutMs: '1s' } } }, async () => ({}));
// @ts-expect-error: capture takes names or a function
app.post('/f', { config: { durable: { capture: 'user' } } }, async () => ({}));
// @ts-expect-error: the reply's type still holds
app.post<{ Reply: { ok: boolean } }>('/g', { config: { durable: true } }, async () => ({
  ok: 'yes',
}));
