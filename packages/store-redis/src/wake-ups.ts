import type { WatchHint } from '@durable-api/core';
import type { Session } from './session.ts';
import { subscribe, type Subscription } from './subscription.ts';

/** The shortest time between two hints, in ms. */
const HINT_INTERVAL_MS = 10;
/** How often to look without having been told while messages arrive, in ms; and while they do not. */
const POLL_SUBSCRIBED_MS = 60_000;
const POLL_DEAF_MS = 5_000;
/** How often to make sure that connections which are silent are not dead, in ms. */
const PROBE_MS = 15_000;

type Listener = (hint: WatchHint) => void;

/**
 * Passes on what other processes announce over the shards' channels. Messages that come close together
 * become one hint. Hints that may have been missed are made up for: after each subscribing, and in
 * bounded intervals.
 */
export class WakeUps {
  readonly #sender: string;
  readonly #listeners = new Set<Listener>();
  #session: Session | null = null;
  #subscription: Subscription | null = null;
  #changed = new Set<string>();
  #mayHaveMissed = false;
  #hintTimer: NodeJS.Timeout | undefined;
  #pollTimer: NodeJS.Timeout | undefined;
  #pollMs = POLL_DEAF_MS;
  #probeTimer: NodeJS.Timeout | undefined;
  #lastHintAt = 0;

  /** @param sender whose own messages are not passed on. */
  constructor(sender: string) {
    this.#sender = sender;
  }

  /** Begins to listen once somebody watches. */
  open(session: Session): void {
    this.#session = session;
    this.#listen();
  }

  watch(listener: Listener): () => void {
    // Not the function itself: it may be given twice.
    const own: Listener = (hint) => listener(hint);
    this.#listeners.add(own);
    this.#listen();
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) this.#rest();
    };
  }

  close(): void {
    this.#listeners.clear();
    this.#rest();
  }

  #listen(): void {
    if (this.#session === null || this.#listeners.size === 0 || this.#subscription !== null) return;
    const { connection, shards } = this.#session;
    this.#pollEvery(POLL_DEAF_MS);
    this.#subscription = subscribe({
      client: connection.client,
      channels: shards.map(({ wakeUps }) => wakeUps),
      onMessage: (message) => this.#note(message),
      onSubscribed: () => {
        this.#pollEvery(POLL_SUBSCRIBED_MS);
        this.#missed();
      },
      onLost: () => this.#pollEvery(POLL_DEAF_MS),
    });
    this.#probeTimer = setInterval(() => this.#subscription?.probe(), PROBE_MS);
    this.#probeTimer.unref();
  }

  #rest(): void {
    this.#subscription?.close();
    this.#subscription = null;
    clearTimeout(this.#hintTimer);
    clearInterval(this.#pollTimer);
    clearInterval(this.#probeTimer);
    this.#hintTimer = undefined;
    this.#pollTimer = undefined;
    this.#changed = new Set();
    this.#mayHaveMissed = false;
  }

  #note(message: string): void {
    const [sender, ...ids] = message.split(' ');
    if (sender === this.#sender) return;
    for (const id of ids) this.#changed.add(id);
    this.#hintSoon();
  }

  #missed(): void {
    this.#mayHaveMissed = true;
    this.#hintSoon();
  }

  #hintSoon(): void {
    if (this.#hintTimer !== undefined) return;
    const sinceMs = performance.now() - this.#lastHintAt;
    this.#hintTimer = setTimeout(() => this.#hint(), Math.max(0, HINT_INTERVAL_MS - sinceMs));
    this.#hintTimer.unref();
  }

  #hint(): void {
    const ids = this.#mayHaveMissed ? null : [...this.#changed];
    this.#hintTimer = undefined;
    this.#lastHintAt = performance.now();
    this.#changed = new Set();
    this.#mayHaveMissed = false;
    for (const listener of this.#listeners) listener({ ids });
  }

  #pollEvery(ms: number): void {
    if (this.#pollTimer !== undefined && this.#pollMs === ms) return;
    this.#pollMs = ms;
    clearInterval(this.#pollTimer);
    this.#pollTimer = setInterval(() => this.#missed(), ms);
    this.#pollTimer.unref();
  }
}
