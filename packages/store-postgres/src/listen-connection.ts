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
  #onTest: () => void = () => {};

  constructor(setup: ListenConnectionSetup) {
    this.#setup = setup;
    const { client, channel, onPayload } = setup;
    const broken = Promise.withResolvers<never>();
    this.broken = broken.promise;
    this.broken.catch(() => {});
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

  /** Resolves when what `send` sends over another connection is heard here; else rejects. */
  async test(send: (channel: string) => Promise<void>): Promise<void> {
    const heard = Promise.withResolvers<void>();
    this.#onTest = () => heard.resolve();
    await send(this.#setup.testChannel);
    await this.#inTime('hearing a notification', heard.promise);
  }

  close(): void {
    this.#setup.client.release(true);
  }

  async #run(text: string, values: string[] = []): Promise<void> {
    await this.#inTime('a wake-up', this.#setup.client.query({ ...AS_TEXT, text, values }));
  }

  async #inTime(what: string, work: Promise<unknown>): Promise<void> {
    await within(TEST_MS, this.#setup.clock, what, Promise.race([work, this.broken]));
  }
}
