import type { Timer } from '../../src/clock.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Like a real one: timers fire up to a millisecond early, and time passes between two looks at it. */
export class HastyClock extends VirtualClock {
  #seed: number;
  #passedMs = 0;

  /** Of one `seed`, the same passes each time. */
  constructor(seed: number) {
    super();
    this.#seed = seed;
  }

  override now(): number {
    this.#passedMs += this.#random();
    return Math.floor(super.now() + this.#passedMs);
  }

  override setTimeout(fire: () => void, delayMs: number): Timer {
    return super.setTimeout(fire, Math.max(0, delayMs - this.#random()));
  }

  #random(): number {
    this.#seed = (this.#seed * 48_271) % 2_147_483_647;
    return this.#seed / 2_147_483_647;
  }
}
