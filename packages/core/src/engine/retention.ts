import type { Clock } from '../clock.ts';
import type { Store } from '../store/store.ts';

/** What the retention needs. */
export interface RetentionSetup {
  readonly store: Store;
  readonly clock: Clock;
  readonly endedMs: number | null;
  readonly idempotencyMs: number;
}

/** How many intents one prune removes: small, so that it never holds up other writes. */
const BATCH = 200;
/** The shortest time between two rounds of pruning, in ms. */
const INTERVAL_MS = 60_000;

/**
 * Removes what is older than the user keeps. Rides on the ends of intents, so that an idle process
 * asks the store for nothing.
 */
export class Retention {
  readonly #setup: RetentionSetup;
  #nextAt: number;
  #pruning: Promise<void> = Promise.resolve();

  constructor(setup: RetentionSetup) {
    this.#setup = setup;
    this.#nextAt = setup.clock.now();
  }

  /** An intent has ended; prunes if the last time is long enough ago. Rejects with the store's error. */
  noteEnd(): Promise<void> {
    const now = this.#setup.clock.now();
    if (this.#setup.endedMs === null || now < this.#nextAt) return Promise.resolve();
    this.#nextAt = now + INTERVAL_MS;
    return (this.#pruning = this.#prune(now, now - this.#setup.endedMs));
  }

  /** Resolves when no prune is under way. */
  async idle(): Promise<void> {
    await this.#pruning.catch(() => {});
  }

  async #prune(now: number, endedBefore: number): Promise<void> {
    const keyedBefore = now - this.#setup.idempotencyMs;
    let removed = BATCH;
    while (removed === BATCH) {
      removed = await this.#setup.store.prune({ now, endedBefore, keyedBefore, limit: BATCH });
    }
  }
}
