import type { ResolvedOperationOptions } from '../options.ts';

/**
 * How long to wait after the given number of failures (from 1): uniform between 0 and an exponentially
 * growing bound ("full jitter"), so that intents which failed together do not come back together.
 */
export function backoffMs(
  backoff: ResolvedOperationOptions['backoff'],
  failures: number,
  random: () => number,
): number {
  const bound = Math.min(backoff.maxMs, backoff.baseMs * backoff.factor ** (failures - 1));
  return Math.round(random() * bound);
}
