import { isCluster, type Client } from './own-client.ts';
import type { Cluster, Redis } from 'ioredis';

/** How long to wait before subscribing again after a failure, in ms. */
const AGAIN_MS = 500;

/** What a subscription needs and tells. */
export interface SubscriptionSetup {
  /** The connected client of the store; a single one is not subscribed itself. */
  readonly client: Client;
  readonly channels: readonly string[];
  readonly onMessage: (message: string) => void;
  /** All channels are subscribed, for the first time or again: messages may have been missed. */
  readonly onSubscribed: () => void;
  /** Some channel is not subscribed any more. */
  readonly onLost: () => void;
}

/** Keeps sharded channels subscribed until it is closed, through reconnects, failovers and moves. */
export class Subscription {
  readonly #setup: SubscriptionSetup;
  readonly #client: Client;
  readonly #listeners: (readonly [event: string, listener: (...args: string[]) => void])[];
  #subscribing = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(setup: SubscriptionSetup) {
    const { client, onMessage, onLost } = setup;
    this.#setup = setup;
    // A client of a Cluster keeps connections of their own for its sharded channels.
    this.#client = isCluster(client) ? client : client.duplicate({ lazyConnect: true });
    const subscribe = (): void => void this.#subscribe();
    this.#listeners = [
      ['smessage', (_channel, message = '') => onMessage(message)],
      ...(isCluster(client)
        ? ([
            ['subscribersReady', subscribe],
            ['-subscriber', onLost],
            ['nodeError', onLost],
          ] as const)
        : ([
            ['ready', subscribe],
            ['close', onLost],
            // Without a listener ioredis writes errors to the console; calls report them.
            ['error', () => {}],
          ] as const)),
    ];
    for (const [event, listener] of this.#listeners) this.#client.on(event, listener);
    if (isCluster(this.#client)) subscribe();
    else this.#client.connect().catch(onLost);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const [event, listener] of this.#listeners) {
      if (event !== 'error') this.#client.off(event, listener);
    }
    if (isCluster(this.#client)) this.#unsubscribe(this.#client);
    else this.#client.disconnect();
  }

  async #subscribe(): Promise<void> {
    if (this.#subscribing || this.#isClosed) return;
    this.#subscribing = true;
    const { channels, onSubscribed, onLost } = this.#setup;
    try {
      // Each for itself: in a Cluster they are in different slots.
      await Promise.all(channels.map((channel) => ssubscribe(this.#client, channel)));
      if (!this.#isClosed) onSubscribed();
    } catch {
      onLost();
      this.#again();
    } finally {
      this.#subscribing = false;
    }
  }

  #again(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#subscribe(), AGAIN_MS);
    this.#timer.unref();
  }

  #unsubscribe(cluster: Cluster): void {
    for (const channel of this.#setup.channels) {
      // It ends with the connection at the latest.
      cluster.sunsubscribe(channel).catch(() => {});
    }
  }
}

async function ssubscribe(client: Redis | Cluster, channel: string): Promise<void> {
  await client.ssubscribe(channel);
}
