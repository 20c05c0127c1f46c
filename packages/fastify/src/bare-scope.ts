import { DurableError } from '@durable-api/core';
import type { FastifyInstance } from 'fastify';

/**
 * The hooks of an HTTP exchange. It was had at the submit and is had again whenever somebody asks for
 * the result, so that an attempt must not go through it: there is nobody to authenticate, no client.
 * Left are `preSerialization` and `onError`, which concern what the handler does.
 */
const EXCHANGE_HOOKS: readonly string[] = [
  'onRoute',
  'onRequest',
  'preParsing',
  'preValidation',
  'preHandler',
  'onSend',
  'onResponse',
  'onTimeout',
  'onRequestAbort',
];

/**
 * A scope like `scope`, with its decorators, serializers, error handler and schemas, but without
 * prefix and without the hooks of an HTTP exchange. Fastify has no public way to make one: a scope
 * inherits every hook. So this does what Fastify's own encapsulation does, and derives the instance.
 * @throws DurableError `mount_invalid` when this version of Fastify is built in another way.
 */
export function bareScope(scope: FastifyInstance): FastifyInstance {
  const hooksKey = internalKey(scope, 'fastify.hooks');
  const prefixKey = internalKey(scope, 'fastify.routePrefix');
  const hooks: unknown = Reflect.get(scope, hooksKey);
  if (typeof hooks !== 'object' || hooks === null) throw unknownFastify(scope);
  // Derived, not copied: a hook that the scope adds after the route counts too.
  const fewerHooks: object = Object.create(hooks);
  for (const name of EXCHANGE_HOOKS) {
    if (!Array.isArray(Reflect.get(hooks, name))) throw unknownFastify(scope);
    Object.defineProperty(fewerHooks, name, { value: [] });
  }
  const bare: FastifyInstance = Object.create(scope);
  Object.defineProperty(bare, hooksKey, { value: fewerHooks });
  Object.defineProperty(bare, prefixKey, { value: '' });
  return bare;
}

function internalKey(scope: FastifyInstance, description: string): symbol {
  for (let owner: object | null = scope; owner !== null; owner = Object.getPrototypeOf(owner)) {
    const symbols = Object.getOwnPropertySymbols(owner);
    const key = symbols.find((symbol) => symbol.description === description);
    if (key !== undefined) return key;
  }
  throw unknownFastify(scope);
}

function unknownFastify(scope: FastifyInstance): DurableError {
  return new DurableError(
    'mount_invalid',
    `@durable-api/fastify does not know how Fastify ${scope.version} keeps its hooks. ` +
      'Update @durable-api/fastify, or use a version of Fastify 5 that it was tested with.',
  );
}
