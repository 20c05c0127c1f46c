import type { Store } from '@durable-api/core';
import { finding, type Finding } from './finding.ts';

/** A store with what it warns of. */
export interface OpenStore {
  readonly store: Store;
  /** Resolves with the first warning. */
  readonly warning: Promise<string>;
}

/** How long a store takes at most to find out whether its wake-ups get through. */
const PATIENCE_MS = 4_500;

/** Whether LISTEN works over the connection: a pooler in transaction mode takes it and delivers nothing. */
export async function checkWakeUps({ store, warning }: OpenStore): Promise<readonly Finding[]> {
  const heard = Promise.withResolvers<null>();
  const unwatch = store.watch(() => heard.resolve(null));
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(() => late.resolve('No wake-up arrived in time.'), PATIENCE_MS);
  try {
    const problem = await Promise.race([heard.promise, warning, late.promise]);
    return [
      problem === null
        ? finding('wake-ups', 'ok', 'LISTEN works: other processes hear of changes at once.')
        : finding('wake-ups', 'warn', `${problem} Until then changes are found within 5 s.`),
    ];
  } finally {
    clearTimeout(timer);
    unwatch();
  }
}
