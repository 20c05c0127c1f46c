import type { IntentRecord } from '@durable-api/core';

/**
 * The name of the lane of an intent, null for one without a key. The blank at its beginning tells it from
 * an operation; the function `claim_keyed` takes it apart again.
 */
export function laneName({ operation, key, priority = 0 }: IntentRecord): string | null {
  return key === undefined ? null : ` ${operation}\x1f${priority}\x1f${key}`;
}
