import type { ResolvedOperationOptions } from '../options.ts';

/** The longest wait before an attempt that follows a failed one: a year. Later instants may be none. */
export const MAX_WAIT_MS: number = 365 * 86_400_000;

/**
 * How long to wait after the given number of failures (from 1): uniform between 0 and an exponentially
 * growing bound ("full jitter"), so that intents which failed together do not come back together.
 */
export function backoffMs(
  backoff: ResolvedOperationOptions['backoff'],
  failures: number,
  random: () => number,
): number {
  // Nothing stays nothing, although the factor's power grows beyond all numbers.
  if (backoff.baseMs === 0) return 0;
  const bound = Math.min(backoff.maxMs, backoff.baseMs * backoff.factor ** (failures - 1));
  return Math.round(random() * Math.min(bound, MAX_WAIT_MS));
}
