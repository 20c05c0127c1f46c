import type { Clock, Timer } from '../clock.ts';

/** What a dispatcher needs. */
export interface DispatcherSetup {
  readonly clock: Clock;
  /** How many attempts may be started now. */
  readonly room: () => number;
  /** Claims and starts at most `limit` intents. */
  readonly claim: (limit: number) => Promise<{
    readonly count: number;
    readonly nextDueAt: number | null;
    /** Whether more may be due than was claimed, for which the end of an attempt makes room. */
    readonly isShort?: boolean;
    /** Whether there is room for that by now. */
    readonly isFreed?: boolean;
  }>;
  /** Longest sleep between two claims; null when the store reports every change of others. */
  readonly pollMs: number | null;
  readonly onError: (error: unknown) => void;
}

/** The most intents of one claim. */
const MAX_CLAIM = 256;
/** The shortest time between two claims that hints of other processes cause, in ms. */
const HINT_INTERVAL_MS = 25;
/** How long to wait after a claim that failed, in ms. */
const RETRY_MS = 500;

/**
 * Decides when to claim: at once when something may be due and there is room, else at the next due
 * instant. Sleeps without a timer when nothing is due at all.
 */
export class Dispatcher {
  readonly #setup: DispatcherSetup;
  #timer: Timer | null = null;
  #timerAt = Infinity;
  #claiming: Promise<void> | null = null;
  #again = false;
  #starved = false;
  #lastClaimAt = -Infinity;
  #stopped = false;

  constructor(setup: DispatcherSetup) {
    this.#setup = setup;
  }

  /** Something may be due now. */
  wake(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#claiming ??= this.#claimAll();
  }

  /** An attempt has ended: claims again if there was more due than room before. */
  roomFreed(): void {
    if (this.#starved) this.wake();
  }

  /** Another process wrote something; many such hints cost few claims. */
  hint(): void {
    const now = this.#setup.clock.now();
    const earliest = this.#lastClaimAt + HINT_INTERVAL_MS;
    // A last claim in the future is one before the host's clock was set back.
    if (earliest <= now || this.#lastClaimAt > now) this.wake();
    else this.noteDue(earliest);
  }

  /** Something will be due at `dueAt`. */
  noteDue(dueAt: number): void {
    if (this.#stopped) return;
    const now = this.#setup.clock.now();
    // The timer that is set is late, or the host's clock was set forward.
    if (this.#timerAt <= now) this.#fire();
    if (dueAt >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = dueAt;
    this.#timer = this.#setup.clock.setTimeout(() => this.#fire(), Math.max(0, dueAt - now));
  }

  /** Ends claiming for good; resolves when a claim under way has been dealt with. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#claiming;
  }

  #fire(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#timerAt = Infinity;
    this.wake();
  }

  async #claimAll(): Promise<void> {
    await Promise.resolve();
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        await this.#claimOnce();
      }
    } catch (error) {
      this.#setup.onError(error);
      this.noteDue(this.#setup.clock.now() + RETRY_MS);
    } finally {
      this.#claiming = null;
    }
  }

  async #claimOnce(): Promise<void> {
    const { clock, pollMs } = this.#setup;
    const limit = Math.min(MAX_CLAIM, this.#setup.room());
    // Without room nothing is asked: the end of an attempt asks again.
    this.#starved = limit <= 0;
    if (this.#starved) return;
    const { count, nextDueAt, isShort = false, isFreed = false } = await this.#setup.claim(limit);
    this.#lastClaimAt = clock.now();
    this.#starved = isShort || count === limit;
    if (count === limit || isFreed) this.#again = true;
    else if (nextDueAt !== null) this.noteDue(Math.max(nextDueAt, clock.now()));
    if (pollMs !== null) this.noteDue(clock.now() + pollMs);
  }
}
