import type { Clock, Timer } from '../clock.ts';

/**
 * The store's time as this process knows it: its own clock, corrected by what the store last said.
 * With it, hosts whose clocks differ by minutes agree on what is due.
 */
export class StoreClock implements Clock {
  readonly #clock: Clock;
  #offsetMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    // Ids and stored instants take whole milliseconds, which not every clock counts in.
    return Math.floor(this.#clock.now()) + this.#offsetMs;
  }

  setTimeout(fire: () => void, delayMs: number): Timer {
    return this.#clock.setTimeout(fire, delayMs);
  }

  /** Takes note that the store's clock showed `storeNow` between `sentAt` and now (local instants). */
  observe(storeNow: number, sentAt: number): void {
    this.#offsetMs = Math.round(storeNow - (sentAt + this.#clock.now()) / 2);
  }
}
