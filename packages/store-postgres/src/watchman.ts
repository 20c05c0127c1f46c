import type { Clock, Timer } from '@durable-api/core';

/** How often the one that watches looks who is there and says that it is, in ms. */
const BEAT_MS = 2_000;
/** How long the others wait for that before they look for themselves, at least and at most, in ms. */
const MIN_PATIENCE_MS = 2_600;
const MAX_PATIENCE_MS = 3_000;

/** What a watchman needs and does, all over the connection that listens. */
export interface WatchmanSetup {
  readonly clock: Clock;
  readonly random: () => number;
  /** Whether this process is the one that watches from now on: nobody else does. */
  readonly stand: () => Promise<boolean>;
  /** Tells all that somebody watches; gives the processes that listen. */
  readonly beat: () => Promise<ReadonlySet<string>>;
  /** Tells all, this process too, to look at everything. */
  readonly alarm: () => Promise<void>;
  /** Looks at everything here. */
  readonly look: () => void;
}

/**
 * Finds the wake-ups that were never sent. A process that is killed between a write and its wake-up
 * tells nobody; but its connection ends with it. So one of all processes that listen watches who is
 * there, and when somebody has gone has all of them look at everything. Who watches says so in short
 * intervals, and when that stays away another one takes over, which looks too. All of this is one
 * small statement per interval, however many processes there are.
 */
export class Watchman {
  readonly #setup: WatchmanSetup;
  #timer: Timer | null = null;
  #isStanding = false;
  /** Who was there at the last look, and came since. */
  #present: Set<string> | null = null;

  constructor(setup: WatchmanSetup) {
    this.#setup = setup;
  }

  /** The process listens from now on. */
  start(): void {
    this.stop();
    this.#wait();
  }

  /** It does not listen any more, and so it cannot watch. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#isStanding = false;
    this.#present = null;
  }

  /** Somebody watches. */
  heardBeat(): void {
    if (this.#timer !== null && !this.#isStanding) this.#wait();
  }

  /** Another process listens from now on; it may have gone again before the next look. */
  heardOf(process: string): void {
    this.#present?.add(process);
  }

  #wait(): void {
    const span = MAX_PATIENCE_MS - MIN_PATIENCE_MS;
    this.#arm(MIN_PATIENCE_MS + span * this.#setup.random());
  }

  #arm(ms: number): void {
    this.#timer?.cancel();
    // A connection that does not answer is given up by who owns it.
    const timer = this.#setup.clock.setTimeout(() => void this.#tick(timer).catch(() => {}), ms);
    this.#timer = timer;
  }

  async #tick(timer: Timer): Promise<void> {
    const { stand, beat, alarm, look } = this.#setup;
    const isOver = (): boolean => this.#timer !== timer;
    if (!this.#isStanding) {
      const isStanding = await stand();
      if (isOver()) return;
      this.#isStanding = isStanding;
      if (!isStanding) {
        look();
        if (!isOver()) this.#wait();
        return;
      }
    }
    const present = await beat();
    if (isOver()) return;
    const before = this.#present;
    this.#present = new Set(present);
    this.#arm(BEAT_MS);
    const isAlarming = before === null || [...before].some((one) => !present.has(one));
    if (isAlarming) await alarm();
  }
}
