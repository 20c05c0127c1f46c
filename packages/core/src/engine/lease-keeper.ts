import type { Clock, Timer } from '../clock.ts';
import type { Store } from '../store/store.ts';
import type { Attempt } from './attempt.ts';

/** What a lease keeper needs and tells. */
export interface LeaseKeeperSetup {
  readonly store: Store;
  readonly clock: Clock;
  readonly leaseMs: number;
  /** The attempts whose leases are held. */
  readonly attempts: () => Iterable<Attempt>;
  readonly onLost: (attempt: Attempt) => void;
  readonly onCancelRequested: (attempt: Attempt) => void;
  readonly onError: (error: unknown) => void;
}

/** Renews all leases of the process in one call, at a third of their length. */
export class LeaseKeeper {
  readonly #setup: LeaseKeeperSetup;
  #timer: Timer | null = null;
  #renewedAt = -Infinity;

  constructor(setup: LeaseKeeperSetup) {
    this.#setup = setup;
  }

  /** Begins renewing, if it has not yet: called when an attempt starts. */
  wake(): void {
    if (this.#timer !== null) return;
    this.#renewedAt = this.#setup.clock.now();
    this.#arm();
  }

  /**
   * Renews at once if that has not worked for most of a lease: called before a claim, so that a process
   * which could not reach its store, or was blocked, does not take its own work away from itself.
   */
  async catchUp(): Promise<void> {
    const { clock, leaseMs, attempts, onError } = this.#setup;
    if (this.#timer === null || clock.now() - this.#renewedAt < (leaseMs * 2) / 3) return;
    const held = [...attempts()];
    if (held.length > 0) await this.#renew(held).catch(onError);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  async #tick(): Promise<void> {
    const attempts = [...this.#setup.attempts()];
    if (attempts.length > 0) await this.#renew(attempts).catch(this.#setup.onError);
    if (this.#timer === null) return;
    this.#timer = null;
    if (attempts.length > 0) this.#arm();
  }

  #arm(): void {
    const { clock, leaseMs } = this.#setup;
    this.#timer = clock.setTimeout(() => void this.#tick(), leaseMs / 3);
  }

  async #renew(attempts: readonly Attempt[]): Promise<void> {
    const { store, leaseMs, clock } = this.#setup;
    const leases = attempts.map(({ id, lease }) => ({ id, lease }));
    const now = clock.now();
    const results = await store.renew({ now, leaseMs, leases });
    this.#renewedAt = now;
    for (const [i, attempt] of attempts.entries()) {
      const result = results[i];
      if (result === undefined || !result.held) this.#setup.onLost(attempt);
      else if (result.cancelRequested) this.#setup.onCancelRequested(attempt);
    }
  }
}
