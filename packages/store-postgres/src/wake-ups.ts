import { randomBytes } from 'node:crypto';
import type { Clock, Logger, Timer, WatchHint } from '@durable-api/core';
import type { Database } from './database.ts';
import type { ListenConnection } from './listen-connection.ts';
import { Listener } from './listener.ts';
import { Notifier } from './notifier.ts';
import type { PgClient } from './pg-pool.ts';
import { NOTIFY } from './sql/notify.ts';
import { BEAT, channelOf, decodeWakeUp, encodeWakeUp, HERE, NOBODY } from './wake-up.ts';
import { Watchman } from './watchman.ts';

/** Longest time between two looks at the store, while its changes are heard and while not, in ms. */
const POLL_LISTENING_MS = 60_000;
const POLL_DEAF_MS = 5_000;

/** What wake-ups are made of. */
export interface WakeUpsSetup {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  /** Gives a connection to listen on. */
  readonly connect: () => Promise<PgClient>;
  /** Called when such a connection has heard something: it is one session, and no pooler's. */
  readonly onHears: () => void;
}

type Watcher = (hint: WatchHint) => void;

/**
 * Brings news of what other processes write, and tells them of what this one writes. News that get
 * lost cost time only, 5 s at most: while it hears, by the {@link Watchman}, and else by looking at
 * everything that often.
 */
export class WakeUps {
  readonly #setup: WakeUpsSetup;
  readonly #channel: string;
  readonly #sender: string = randomBytes(6).toString('base64url');
  readonly #watchers = new Set<Watcher>();
  readonly #listener: Listener;
  readonly #notifier: Notifier;
  readonly #watchman: Watchman;
  #timer: Timer | null = null;
  #closed = false;

  constructor(setup: WakeUpsSetup) {
    this.#setup = setup;
    const { database, clock, logger, random, connect } = setup;
    this.#channel = channelOf(database.schema);
    this.#listener = new Listener({
      schema: database.schema,
      channel: this.#channel,
      testChannel: `durable-test:${this.#sender}`,
      clock,
      logger,
      connect,
      send: async (channel) => void (await database.run(NOTIFY, [channel, ''])),
      onPayload: (payload) => this.#heard(payload),
      onChange: () => this.#changed(),
    });
    this.#notifier = new Notifier({
      sender: this.#sender,
      clock,
      send: (payload) => this.#send(payload),
    });
    this.#watchman = new Watchman({
      clock,
      random,
      stand: () => this.#listening.stand(),
      beat: () => this.#listening.beat(BEAT),
      alarm: () => this.#listening.notify(encodeWakeUp({ sender: NOBODY, ids: null })),
      look: () => this.#look(),
    });
  }

  /** The channel that the wake-ups of this schema go over. */
  get channel(): string {
    return this.#channel;
  }

  /** This process wrote these intents. */
  note(ids: readonly string[]): void {
    this.#notifier.note(ids);
  }

  /** Calls `watcher` from now on; returns what ends it. */
  watch(watcher: Watcher): () => void {
    if (this.#closed) return () => {};
    this.#watchers.add(watcher);
    this.#listener.start();
    if (this.#timer === null) this.#arm();
    return () => this.#watchers.delete(watcher);
  }

  /** Sends what is pending and gives the connection up. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#watchers.clear();
    this.#timer?.cancel();
    this.#watchman.stop();
    await this.#notifier.close();
    await this.#listener.stop();
  }

  async #send(payload: string): Promise<void> {
    const { connection } = this.#listener;
    if (connection !== null) await connection.notify(payload);
    else await this.#setup.database.run(NOTIFY, [this.#channel, payload]);
  }

  get #listening(): ListenConnection {
    const { connection } = this.#listener;
    if (connection === null) throw new Error('Nobody listens.');
    return connection;
  }

  /** It listens from now on, or does not any more. */
  #changed(): void {
    if (this.#closed || this.#listener.connection === null) this.#watchman.stop();
    else {
      this.#watchman.start();
      this.#setup.onHears();
    }
    this.#look();
  }

  #heard(payload: string): void {
    if (payload === BEAT) return this.#watchman.heardBeat();
    if (payload.startsWith(HERE)) return this.#watchman.heardOf(payload.slice(HERE.length));
    const { sender, ids } = decodeWakeUp(payload);
    if (sender !== this.#sender) this.#tell({ ids });
  }

  /** Something may have been missed. */
  #look(): void {
    if (this.#closed) return;
    this.#arm();
    this.#tell({ ids: null });
  }

  #arm(): void {
    this.#timer?.cancel();
    const longest = this.#listener.connection === null ? POLL_DEAF_MS : POLL_LISTENING_MS;
    // Processes that were started together do not look together.
    const delayMs = longest * (0.8 + 0.2 * this.#setup.random());
    this.#timer = this.#setup.clock.setTimeout(() => this.#look(), delayMs);
  }

  #tell(hint: WatchHint): void {
    for (const watcher of this.#watchers) watcher(hint);
  }
}
