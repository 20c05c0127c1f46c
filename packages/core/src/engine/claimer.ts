import type { ResolvedOptions } from '../options.ts';
import type { ClaimRequest, ClaimResult } from '../store/store.ts';
import type { StoreClock } from './store-clock.ts';

/** What a claimer needs. */
export interface ClaimerSetup {
  readonly options: ResolvedOptions;
  readonly clock: StoreClock;
  readonly holder: string;
}

/** Claims what is due for this process, and learns the store's time on the way. */
export class Claimer {
  readonly #setup: ClaimerSetup;

  constructor(setup: ClaimerSetup) {
    this.#setup = setup;
  }

  async claim(
    which: Pick<ClaimRequest, 'operations' | 'keyed'>,
    limit: number,
  ): Promise<ClaimResult> {
    const { options, clock, holder } = this.#setup;
    const sentAt = options.clock.now();
    const { leaseMs, store } = options;
    const result = await store.claim({ now: clock.now(), holder, leaseMs, limit, ...which });
    if (store.capabilities.clock === 'store') clock.observe(result.now, sentAt);
    return result;
  }

  /** Learns the store's time, so that already the first intent is dated by it: a claim of nothing. */
  async readClock(): Promise<void> {
    if (this.#setup.options.store.capabilities.clock === 'store')
      await this.claim({ operations: [] }, 1);
  }
}
