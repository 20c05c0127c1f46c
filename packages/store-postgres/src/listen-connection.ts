import type { Clock } from '@durable-api/core';
import { AS_TEXT, type PgClient } from './pg-pool.ts';
import { DO_NOT_WAIT_FOR_DISK, listenTo, NOTIFY } from './sql/notify.ts';
import { within } from './within.ts';

/** How long a test waits for its notification, in ms. */
const TEST_MS = 2_000;

/** What a listening connection is made of. */
export interface ListenConnectionSetup {
  readonly client: PgClient;
  readonly channel: string;
  /** A channel that nobody else uses, for the test. */
  readonly testChannel: string;
  readonly clock: Clock;
  readonly onPayload: (payload: string) => void;
}

/** One connection that listens to a channel until it breaks or is closed. */
export class ListenConnection {
  /** Rejects when the connection breaks. */
  readonly broken: Promise<never>;
  readonly #setup: ListenConnectionSetup;
  readonly #break: (error: Error) => void;
  #onTest: () => void = () => {};
  #isClosed = false;

  constructor(setup: ListenConnectionSetup) {
    this.#setup = setup;
    const { client, channel, onPayload } = setup;
    const broken = Promise.withResolvers<never>();
    this.broken = broken.promise;
    this.broken.catch(() => {});
    this.#break = broken.reject;
    client.on('error', broken.reject);
    client.on('end', () => broken.reject(new Error('The listening connection was closed.')));
    client.on('notification', (notification) => {
      if (notification.channel === channel) onPayload(notification.payload ?? '');
      else this.#onTest();
    });
  }

  /** Begins to listen. */
  async open(): Promise<void> {
    const { channel, testChannel } = this.#setup;
    await this.#run(DO_NOT_WAIT_FOR_DISK);
    await this.#run(listenTo(channel));
    await this.#run(listenTo(testChannel));
  }

  /** Sends a payload over this connection. */
  async notify(payload: string): Promise<void> {
    await this.#run(NOTIFY, [this.#setup.channel, payload]);
  }

  /** Whether it hears in time what `send` sends over another connection. Rejects when it breaks. */
  async hears(send: (channel: string) => Promise<void>): Promise<boolean> {
    const { testChannel, clock } = this.#setup;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#onTest = () => resolve(true);
    await send(testChannel);
    const timer = clock.setTimeout(() => resolve(false), TEST_MS);
    try {
      return await Promise.race([promise, this.broken]);
    } finally {
      timer.cancel();
    }
  }

  /** Ends it; what is under way on it fails. May be called again. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#break(new Error('The listening connection was given up.'));
    this.#setup.client.release(true);
  }

  async #run(text: string, values: string[] = []): Promise<void> {
    const { client, clock } = this.#setup;
    const running = Promise.race([client.query({ ...AS_TEXT, text, values }), this.broken]);
    await within(TEST_MS, clock, 'a wake-up', running);
  }
}
