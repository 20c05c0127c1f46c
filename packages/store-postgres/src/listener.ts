import type { Clock, Logger } from '@durable-api/core';
import { ListenConnection } from './listen-connection.ts';
import type { PgClient } from './pg-pool.ts';
import { HERE } from './wake-up.ts';

/** How often a connection that listens is tested again, in ms: it may be dead and not know it. */
const TEST_EVERY_MS = 60_000;
/** The waits between two tries to listen grow from the first to the second, in ms. */
const MIN_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;
/** How long to wait where connections can be had but do not hear, in ms. */
const DEAF_RETRY_MS = 60_000;

const DEAF =
  'LISTEN does not work over this connection, so the store is polled. Is it a PgBouncer in ' +
  'transaction mode? Then give the store a listenUrl that leads to Postgres itself.';
const BROKEN = 'The connection that listens was lost; the store is polled until there is another.';

/** What a listener needs and tells. */
export interface ListenerSetup {
  readonly schema: string;
  readonly channel: string;
  readonly testChannel: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Gives a connection for as long as it lives. */
  readonly connect: () => Promise<PgClient>;
  /** Sends an empty payload to `channel`, over another connection than the listening one. */
  readonly send: (channel: string) => Promise<void>;
  readonly onPayload: (payload: string) => void;
  /** The process hears now what others write, or does not any more. */
  readonly onChange: () => void;
}

/**
 * Keeps one connection listening, and replaces it when it breaks. A connection counts only once it
 * has heard what another one sent: a PgBouncer in transaction mode accepts LISTEN and delivers nothing.
 */
export class Listener {
  readonly #setup: ListenerSetup;
  readonly #stopped = Promise.withResolvers<void>();
  #isStopped = false;
  #running: Promise<void> | null = null;
  #current: ListenConnection | null = null;
  /** The current connection, once it has heard something. */
  #connection: ListenConnection | null = null;
  #failures = 0;
  #reported = '';
  /** Whether the last connection was fine except that it heard nothing. */
  #isDeaf = false;

  constructor(setup: ListenerSetup) {
    this.#setup = setup;
  }

  /** The connection that listens right now; null when none does. */
  get connection(): ListenConnection | null {
    return this.#connection;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Gives the connection up; resolves when it is gone. It cannot be started again. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopped.resolve();
    this.#current?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      this.#isDeaf = false;
      await this.#listen().catch((error: unknown) => this.#report(error));
      const retryMs = Math.min(MAX_RETRY_MS, MIN_RETRY_MS * 2 ** this.#failures);
      this.#failures += 1;
      await this.#pause(this.#isDeaf ? DEAF_RETRY_MS : retryMs);
    }
  }

  async #listen(): Promise<void> {
    const { connect, send } = this.#setup;
    const connection = new ListenConnection({ ...this.#setup, client: await connect() });
    this.#current = connection;
    try {
      await connection.open();
      while (!this.#isStopped) {
        this.#isDeaf = !(await connection.hears(send));
        if (this.#isDeaf) throw new Error('A notification was sent, and did not arrive.');
        // Only now: a pooler would keep what a connection has said of itself for whoever comes next.
        if (this.#connection === null) await connection.bePresent(HERE);
        this.#set(connection);
        this.#failures = 0;
        this.#reported = '';
        await Promise.race([this.#pause(TEST_EVERY_MS), connection.broken]);
      }
    } finally {
      this.#set(null);
      connection.close();
    }
  }

  #set(connection: ListenConnection | null): void {
    if (connection === this.#connection) return;
    this.#connection = connection;
    this.#setup.onChange();
  }

  #report(error: unknown): void {
    if (this.#isStopped) return;
    const message = this.#isDeaf ? DEAF : BROKEN;
    // Once is enough until it has worked again.
    const level = message === this.#reported ? 'debug' : 'warn';
    this.#reported = message;
    this.#setup.logger[level]({ err: error }, message);
  }

  async #pause(ms: number): Promise<void> {
    const over = Promise.withResolvers<void>();
    const timer = this.#setup.clock.setTimeout(() => over.resolve(), ms);
    await Promise.race([over.promise, this.#stopped.promise]);
    timer.cancel();
  }
}
