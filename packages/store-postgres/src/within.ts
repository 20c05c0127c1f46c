import type { Clock } from '@durable-api/core';
import { timedOut } from './store-error.ts';

/**
 * What `work` resolves to, if it does so in time; what becomes of it later is ignored.
 * @throws DurableError `store_unavailable` when it takes longer than `timeoutMs`
 */
export async function within<T>(
  timeoutMs: number,
  clock: Clock,
  what: string,
  work: Promise<T>,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = clock.setTimeout(() => late.reject(timedOut(what, timeoutMs)), timeoutMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    timer.cancel();
  }
}
