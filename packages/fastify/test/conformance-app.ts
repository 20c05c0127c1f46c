import type { AdapterServer, AdapterSetup } from '@durable-api/conformance';
import { fixtureTenant, type FixtureOperation } from '@durable-api/conformance';
import compress from '@fastify/compress';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { durable, durableApi } from '../src/index.ts';

/** The app that the fixtures are mounted in. */
export interface Host {
  readonly create: () => FastifyInstance;
  /** Adds what the app has beside. */
  readonly equip?: (app: FastifyInstance) => Promise<void>;
  /** Where everything is mounted. Default: at the root. */
  readonly prefix?: string;
}

/** As apps in production are: compressed, hardened, open to other origins. */
export async function equip(app: FastifyInstance): Promise<void> {
  await app.register(compress, { threshold: 0 });
  await app.register(helmet);
  await app.register(cors, { origin: true });
}

/** Fastify's own parser refuses keys that poison prototypes as JSON that it cannot parse. */
export const poisonProblem = 'body_unreadable';

/** Serves the fixtures of the suite as routes of a Fastify app. */
export async function serveFixtures(
  { create, equip, prefix = '' }: Host,
  { options, operations, routes }: AdapterSetup,
): Promise<AdapterServer> {
  const app = create();
  await equip?.(app);
  await app.register(durableApi, options);
  await app.register(
    async (scope) => {
      for (const operation of operations) await scope.register(scopeOf(operation));
      for (const { method, path, body } of routes) {
        scope.route({ method, url: path, handler: async () => body });
      }
    },
    { prefix },
  );
  const origin = await app.listen({ port: 0, host: '127.0.0.1' });
  return {
    baseUrl: origin + prefix,
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
