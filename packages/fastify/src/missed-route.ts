import { DurableError } from '@durable-api/core';
import type { FastifyInstance, onRequestHookHandler } from 'fastify';

/** In the `config` of routes that have been made operations. */
export const IS_OPERATION: unique symbol = Symbol('is an operation');

/**
 * Has durable routes that were declared before the plugin answer with what to do: their handlers would
 * run as if nothing had been asked for. Costs nothing where no route is declared before the plugin.
 */
export function refuseMissedRoutes(app: FastifyInstance): void {
  if (app.printRoutes() === '(empty tree)') return;
  app.addHook('onRequest', refuseMissed);
}

const refuseMissed: onRequestHookHandler = (request, _reply, done) => {
  // Fastify's own 404 has no config.
  const config: unknown = request.routeOptions.config;
  const { durable = false, [IS_OPERATION]: isOperation = false } = Object(config);
  if (durable === false || isOperation === true) return done();
  const { method, url } = request.routeOptions;
  done(
    new DurableError(
      'mount_invalid',
      `The durable route ${String(method)} ${url} was declared before the plugin, so it is not durable. ` +
        'Put "await app.register(durableApi, { store })" in front of it, with the await.',
    ),
  );
};
