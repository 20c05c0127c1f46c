/** What a lease guard needs. */
export interface LeaseGuardSetup {
  /** Renews all leases of this store for `leaseMs`; returns how many there were. */
  readonly renewAll: (leaseMs: number) => number;
}

/**
 * Keeps leases alive while the main thread is too busy to renew them: a handler that blocks the event
 * loop for less than a lease loses nothing. It gives up one lease after the last sign of life.
 */
export class LeaseGuard {
  readonly #setup: LeaseGuardSetup;
  #leaseMs = 0;
  #heardAt = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(setup: LeaseGuardSetup) {
    this.#setup = setup;
  }

  /** The main thread has called. */
  hear(): void {
    this.#heardAt = performance.now();
  }

  /** Leases of this length are held from now on. */
  watch(leaseMs: number): void {
    this.#leaseMs = leaseMs;
    this.#timer ??= setTimeout(() => this.#check(), leaseMs / 3).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #check(): void {
    this.#timer = null;
    const silentMs = performance.now() - this.#heardAt;
    // The main thread renews at a third; only when that is overdue is it blocked, or idle.
    const isOverdue = silentMs > (this.#leaseMs / 3) * 1.1;
    if (silentMs > this.#leaseMs) return;
    if (!isOverdue || this.#setup.renewAll(this.#leaseMs) > 0) this.watch(this.#leaseMs);
  }
}
