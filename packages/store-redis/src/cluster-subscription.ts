import type { Cluster } from 'ioredis';
import { slotOf } from './key-slot.ts';
import type { Subscription, SubscriptionSetup } from './subscription.ts';

/** How long to wait before subscribing again, and for it to have happened, in ms. */
const AGAIN_MS = 500;

/**
 * Channels of several nodes. ioredis keeps a connection to each node that has some, and subscribes
 * again when nodes or slots change; it does not say when that is done.
 */
export class ClusterSubscription implements Subscription {
  readonly #setup: SubscriptionSetup<Cluster>;
  readonly #listeners: (readonly [event: string, listener: (...args: string[]) => void])[];
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(setup: SubscriptionSetup<Cluster>) {
    const { client, channels, onMessage, onSubscribed, onLost } = setup;
    this.#setup = setup;
    this.#listeners = [
      ['smessage', (_channel, message = '') => onMessage(message)],
      ['subscribersReady', () => this.#later(onSubscribed)],
      ['-subscriber', onLost],
      ['nodeError', onLost],
    ];
    for (const [event, listener] of this.#listeners) client.on(event, listener);
    void this.#subscribe(channels);
  }

  probe(): void {
    const { client, channels } = this.#setup;
    const byNode = new Map(channels.map((channel) => [nodeOf(client, channel), channel]));
    // The connections are those of ioredis: to end a subscription that never was is a question too, and
    // an answer that stays away ends the connection.
    for (const channel of byNode.values()) void this.#unsubscribe(`${channel} probe`);
  }

  close(): void {
    const { client, channels } = this.#setup;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const [event, listener] of this.#listeners) client.off(event, listener);
    for (const channel of channels) void this.#unsubscribe(channel);
  }

  async #subscribe(channels: readonly string[]): Promise<void> {
    if (this.#isClosed) return;
    const { client, onSubscribed, onLost } = this.#setup;
    // Each for itself, since they are in different slots.
    const failed = await Promise.all(
      channels.map(async (channel) => {
        try {
          await client.ssubscribe(channel);
          return [];
        } catch {
          return [channel];
        }
      }),
    );
    const left = failed.flat();
    if (this.#isClosed) return;
    if (left.length === 0) onSubscribed();
    else {
      onLost();
      this.#later(async () => {
        // ioredis would else remember the channel once more with each attempt.
        await Promise.all(left.map((channel) => this.#unsubscribe(channel)));
        await this.#subscribe(left);
      });
    }
  }

  async #unsubscribe(channel: string): Promise<void> {
    try {
      await this.#setup.client.sunsubscribe(channel);
    } catch {
      // Who is not connected is not subscribed.
    }
  }

  #later(action: () => void | Promise<void>): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void action(), AGAIN_MS);
    this.#timer.unref();
  }
}

/** The node whose connection bears a channel. */
function nodeOf(client: Cluster, channel: string): string | undefined {
  const tag = /\{(.*?)\}/.exec(channel)?.[1] ?? channel;
  return client.slots[slotOf(tag)]?.[0];
}
