import { ClusterSubscription } from './cluster-subscription.ts';
import { isCluster, type Client } from './own-client.ts';
import { SingleSubscription } from './single-subscription.ts';

/** What a subscription needs and tells. */
export interface SubscriptionSetup<Via extends Client = Client> {
  /** The connected client of the store; a single one is not subscribed itself. */
  readonly client: Via;
  readonly channels: readonly string[];
  readonly onMessage: (message: string) => void;
  /** All channels are subscribed, for the first time or again: messages may have been missed. */
  readonly onSubscribed: () => void;
  /** Some channel may not be subscribed any more. */
  readonly onLost: () => void;
}

/** Sharded channels that stay subscribed until they are closed. */
export interface Subscription {
  /** Asks over connections that were silent since the last time, so that one that is dead is noticed. */
  probe(): void;
  close(): void;
}

/** Subscribes to sharded channels; it begins at once and goes on through whatever happens. */
export function subscribe(setup: SubscriptionSetup): Subscription {
  const { client, ...rest } = setup;
  return isCluster(client)
    ? new ClusterSubscription({ client, ...rest })
    : new SingleSubscription({ client, ...rest });
}
