import type { Clock, Timer } from '@durable-api/core';
import { encodeWakeUp } from './wake-up.ts';

/** The shortest time between two notifications of one process, in ms. */
const INTERVAL_MS = 10;
/** How long to wait after a notification that could not be sent, in ms. */
const RETRY_MS = 1_000;
/** So many ids are no better than "everything": a payload does not hold more. */
const MAX_IDS = 200;

/** What a notifier needs. */
export interface NotifierSetup {
  readonly sender: string;
  readonly clock: Clock;
  /** Sends one payload to the channel. */
  readonly send: (payload: string) => Promise<void>;
}

/**
 * Tells other processes what this one wrote: after the write, outside its transaction, since NOTIFY
 * makes committing transactions wait for each other. The first change goes out at once; what gathers
 * meanwhile goes out together.
 */
export class Notifier {
  readonly #setup: NotifierSetup;
  readonly #pending = new Set<string>();
  #isOverfull = false;
  #sending: Promise<void> | null = null;
  #timer: Timer | null = null;
  #closed = false;

  constructor(setup: NotifierSetup) {
    this.#setup = setup;
  }

  /** These intents were written. */
  note(ids: readonly string[]): void {
    if (ids.length === 0) return;
    if (this.#pending.size + ids.length > MAX_IDS) this.#isOverfull = true;
    else for (const id of ids) this.#pending.add(id);
    if (this.#timer === null && !this.#closed) this.#sending ??= this.#send();
  }

  /** Sends what is still pending; resolves when it is out, or could not be sent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#sending;
    if (this.#hasPending) await this.#send();
  }

  get #hasPending(): boolean {
    return this.#isOverfull || this.#pending.size > 0;
  }

  async #send(): Promise<void> {
    const ids = this.#isOverfull ? null : [...this.#pending];
    this.#isOverfull = false;
    this.#pending.clear();
    let pauseMs = INTERVAL_MS;
    try {
      await this.#setup.send(encodeWakeUp({ sender: this.#setup.sender, ids }));
    } catch {
      // Whatever others have missed meanwhile, they are told to look at everything.
      this.#isOverfull = true;
      pauseMs = RETRY_MS;
    }
    this.#sending = null;
    if (!this.#closed) this.#timer = this.#setup.clock.setTimeout(() => this.#next(), pauseMs);
  }

  #next(): void {
    this.#timer = null;
    if (this.#hasPending) this.#sending ??= this.#send();
  }
}
