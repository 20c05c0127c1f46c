import { DurableError } from '@durable-api/core';
import type { RequestHandler } from 'express';
import type { ExpressOperationOptions } from './operation-options.ts';

/** What `api.operation()` was given. */
export interface DeclaredOperation {
  /** Null when an agent does the work and is given the request's body. */
  readonly handler: RequestHandler | null;
  readonly options: ExpressOperationOptions;
}

/** @throws DurableError `options_invalid` when it is neither a handler nor the options of an agent. */
export function readDeclared(first: unknown, second: unknown): DeclaredOperation {
  const hasAgent = typeof first === 'object' && first !== null && 'agent' in first;
  if (hasAgent && second === undefined) return { handler: null, options: { ...Object(first) } };
  const options: ExpressOperationOptions = { ...Object(second) };
  if (typeof first !== 'function') throw noHandler(first);
  checkHandler(first, options.name ?? first.name);
  // What a handler declares its request to be is its author's word, in Express as here.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { handler: first as RequestHandler, options };
}

function noHandler(received: unknown): DurableError {
  return new DurableError(
    'options_invalid',
    `api.operation() takes the handler of a route, received ${received === null ? 'null' : typeof received}. ` +
      'Middleware goes before it: app.use(path, requireAuth, express.json(), api.operation(handler)). ' +
      'Where an agent does the work, it takes api.operation({ name, agent: "agent://…" }).',
  );
}

function checkHandler(handler: object, name: string): void {
  const isErrorHandler = 'length' in handler && handler.length === 4;
  if (!isErrorHandler && !('handle' in handler && 'set' in handler)) return;
  const what = isErrorHandler ? 'an error handler' : 'an app';
  throw new DurableError(
    'options_invalid',
    `api.operation() takes a handler (req, res, next), and "${name}" is ${what}.`,
  );
}
