import { DurableError, isDurableError } from '@durable-api/core';
import { faultOf } from './sqlstate.ts';

/** The error that a caller of the store gets for one of pg: `store_unavailable` or `store_full`. */
export function toStoreError(error: unknown): DurableError {
  if (isDurableError(error)) return error;
  const fault = faultOf(error);
  const said = error instanceof Error ? `: ${error.message}` : '';
  return new DurableError(
    fault.kind === 'full' ? 'store_full' : 'store_unavailable',
    `Postgres: ${fault.name}${said}. ${fault.advice}`,
    { cause: error, retryAfterSeconds: fault.retryAfterSeconds },
  );
}

/** The error for a wait that took too long; the outcome is unknown. */
export function timedOut(what: string, timeoutMs: number): DurableError {
  return new DurableError(
    'store_unavailable',
    `Postgres: ${what} took longer than ${timeoutMs} ms. If this happens under load, the pool is too ` +
      'small or somebody holds locks on the tables.',
    { retryAfterSeconds: 1 },
  );
}
