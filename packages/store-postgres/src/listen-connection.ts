import type { Clock } from '@durable-api/core';
import { AS_TEXT, type PgClient } from './pg-pool.ts';
import { BE_PRESENT, BEAT, listenTo, NOTIFY, STAND } from './sql/notify.ts';
import { within } from './within.ts';

/** How long a test waits for its notification, in ms. */
const TEST_MS = 2_000;

/** What a listening connection is made of. */
export interface ListenConnectionSetup {
  readonly client: PgClient;
  readonly schema: string;
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
    await this.#run(listenTo(channel));
    await this.#run(listenTo(testChannel));
  }

  /** Sends a payload over this connection. */
  async notify(payload: string): Promise<void> {
    await this.#run(NOTIFY, [this.#setup.channel, payload]);
  }

  /** Counts this process among those that listen, until the connection ends, and tells them so. */
  async bePresent(payload: string): Promise<void> {
    const { channel, schema } = this.#setup;
    await this.#run(BE_PRESENT, [channel, payload, schema]);
  }

  /** Whether this process watches those that listen from now on, since nobody else does. */
  async stand(): Promise<boolean> {
    const [row] = await this.#run(STAND, [this.#setup.schema]);
    return row?.[0] === 't';
  }

  /** Sends a payload, and gives the processes that listen. */
  async beat(payload: string): Promise<ReadonlySet<string>> {
    const { channel, schema } = this.#setup;
    const [row] = await this.#run(BEAT, [channel, payload, schema]);
    const present = row?.[2];
    return new Set(typeof present === 'string' ? present.split(',') : []);
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

  async #run(text: string, values: string[] = []): Promise<readonly unknown[][]> {
    const { client, clock } = this.#setup;
    const running = Promise.race([client.query({ ...AS_TEXT, text, values }), this.broken]);
    try {
      const { rows = [] } = await within(TEST_MS, clock, 'a wake-up', running);
      return rows;
    } catch (error) {
      // One that does not answer does not hear either.
      this.#break(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }
}
