/** What a lease guard needs. */
export interface LeaseGuardSetup {
  /** Renews all leases of this store for `leaseMs`; returns how many there were. */
  readonly renewAll: (leaseMs: number) => number;
}

/** How much later than a third of the lease a renewal may be before it counts as overdue. */
const TOLERANCE = 1.1;

/**
 * Keeps leases alive while the main thread is too busy to renew them, so that a handler that blocks the
 * event loop for less than a lease loses nothing. It renews for at most one lease after the last sign of
 * life, and only for a main thread that is silent: who calls but does not renew has given up its leases.
 */
export class LeaseGuard {
  readonly #setup: LeaseGuardSetup;
  #leaseMs = 0;
  #heardAt = 0;
  #renewedAt = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(setup: LeaseGuardSetup) {
    this.#setup = setup;
  }

  /** The main thread has called. */
  hear(): void {
    this.#heardAt = performance.now();
  }

  /** The main thread takes leases of this length. */
  hold(leaseMs: number): void {
    this.#leaseMs = leaseMs;
    if (this.#timer === null) this.renewed(leaseMs);
  }

  /** The main thread renews its leases. */
  renewed(leaseMs: number): void {
    this.#leaseMs = leaseMs;
    this.#renewedAt = performance.now();
    this.#timer ??= this.#arm();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(): NodeJS.Timeout {
    const overdueAt = this.#renewedAt + (this.#leaseMs / 3) * TOLERANCE;
    const waitMs = Math.max(1, overdueAt - performance.now());
    return setTimeout(() => this.#check(), waitMs).unref();
  }

  #check(): void {
    this.#timer = null;
    const now = performance.now();
    const renewalAt = this.#renewedAt + this.#leaseMs / 3;
    if (now >= renewalAt + (this.#leaseMs / 3) * (TOLERANCE - 1)) {
      const isSilent = this.#heardAt <= renewalAt && now - this.#heardAt <= this.#leaseMs;
      if (!isSilent || this.#setup.renewAll(this.#leaseMs) === 0) return;
      this.#renewedAt = now;
    }
    this.#timer = this.#arm();
  }
}
