import type { Clock } from '../clock.ts';
import { DurableError } from '../errors.ts';

/**
 * Gives up waiting for the store after `timeoutMs`: a caller is told in time, whatever the store does
 * later. @throws DurableError `store_unavailable`
 */
export function withTimeout<T>(work: Promise<T>, timeoutMs: number, clock: Clock): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = clock.setTimeout(() => {
      const message = `The store did not answer within ${timeoutMs} ms; the outcome is unknown.`;
      reject(new DurableError('store_unavailable', message, { retryAfterSeconds: 1 }));
    }, timeoutMs);
    const settle = (): void => timer.cancel();
    work.then(resolve, reject);
    work.then(settle, settle);
  });
}
