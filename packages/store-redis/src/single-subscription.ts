import type { Redis } from 'ioredis';
import type { Subscription, SubscriptionSetup } from './subscription.ts';

/** Channels of one server, over a connection of their own that connects again by itself. */
export class SingleSubscription implements Subscription {
  readonly #setup: SubscriptionSetup<Redis>;
  readonly #client: Redis;
  #hasHeard = false;

  constructor(setup: SubscriptionSetup<Redis>) {
    const { onMessage, onLost } = setup;
    this.#setup = setup;
    const client = (this.#client = setup.client.duplicate({ lazyConnect: true }));
    client.on('smessage', (_channel: string, message: string) => {
      this.#hasHeard = true;
      onMessage(message);
    });
    client.on('ready', () => void this.#subscribe());
    client.on('close', onLost);
    // Without a listener ioredis writes errors to the console; the store's calls report them.
    client.on('error', () => {});
    client.connect().catch(onLost);
  }

  probe(): void {
    // Nothing else is ever asked over this connection. Silence ends it, and it connects again.
    if (!this.#hasHeard) this.#client.ping().catch(this.#setup.onLost);
    this.#hasHeard = false;
  }

  close(): void {
    this.#client.disconnect();
  }

  async #subscribe(): Promise<void> {
    const { channels, onSubscribed, onLost } = this.#setup;
    try {
      await this.#client.ssubscribe(...channels);
      onSubscribed();
    } catch {
      // The connection was lost again, or the user may not subscribe; then polling has to do.
      onLost();
    }
  }
}
