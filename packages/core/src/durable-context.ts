import type { AttemptContext } from './engine/operation.ts';

/** Where an adapter leaves the durable context on the request that it gives to the handler. */
export const DURABLE_CONTEXT: unique symbol = Symbol.for('durable-api.context');

/**
 * The durable context of the attempt that `request` belongs to, for handlers that want more than
 * request in, response out.
 * @throws TypeError when the request is not one that a durable operation runs its handler with.
 */
export function durable(request: object): AttemptContext {
  const context: unknown = Reflect.get(request, DURABLE_CONTEXT);
  if (isContext(context)) return context;
  throw new TypeError(
    'durable(request) was called outside of a durable operation. ' +
      'Pass the request that the handler of an operation was called with.',
  );
}

function isContext(value: unknown): value is AttemptContext {
  return typeof value === 'object' && value !== null && 'intentId' in value && 'signal' in value;
}
