import type { AdapterServer, AdapterSetup } from '@durable-api/conformance';
import { fixtureTenant, type FixtureOperation } from '@durable-api/conformance';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { durable, durableApi } from '../src/index.ts';

/** Makes the app that the fixtures are mounted in. */
export type CreateApp = () => FastifyInstance;

/** Serves the fixtures of the suite as routes of a Fastify app. */
export async function serveFixtures(
  createApp: CreateApp,
  { options, operations, routes }: AdapterSetup,
): Promise<AdapterServer> {
  const app = createApp();
  await app.register(durableApi, options);
  for (const operation of operations) await app.register(scopeOf(operation));
  for (const { method, path, body } of routes) {
    app.route({ method, url: path, handler: async () => body });
  }
  const baseUrl = await app.listen({ port: 0, host: '127.0.0.1' });
  return {
    baseUrl,
    async stop(graceMs) {
      await app.durableApi.stop({ graceMs });
      await app.close();
    },
  };
}

/** A scope of its own for each operation, with its own guard. */
function scopeOf(operation: FixtureOperation): (scope: FastifyInstance) => Promise<void> {
  return async (scope) => {
    if (operation.isProtected) scope.addHook('onRequest', requireTenant);
    const { name, options } = operation;
    scope.post(operation.path, { config: { durable: { name, ...options } } }, handlerOf(operation));
  };
}

async function requireTenant(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (fixtureTenant(request.headers.authorization) === null) {
    await reply.code(401).send({ error: 'Who are you?' });
  }
}

function handlerOf(operation: FixtureOperation) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const value = await operation.handle({
      params: Object(request.params),
      query: Object(request.query),
      body: request.body,
      durable: durable(request),
    });
    if (operation.answerBy === 'return') return value;
    return reply.code(operation.status).headers(operation.headers).send(value);
  };
}
