import type { Intents, Ledger } from '@durable-api/core';
import type { KeyRing } from './access/key-ring.ts';
import type { HomeAddress } from './addresses/address.ts';
import type { InboxFeeds } from './inbox/inbox-feeds.ts';
import type { LocalOperation } from './intents/envelope.ts';
import type { IntentStore } from './intents/intent-store.ts';
import type { Mailboxes } from './mailboxes/mailboxes.ts';
import type { Heartbeats } from './mesh/heartbeats.ts';
import type { KillSwitch } from './mesh/kill-switch.ts';
import type { Accounts } from './provisioning/accounts.ts';
import type { ResolvedGatewayOptions } from './options.ts';
import type { SchemaRegister } from './schemas/schema-register.ts';
import type { Subscriptions } from './webhooks/subscriptions.ts';
import type { WebhookEvents } from './webhooks/webhook-events.ts';
import type { StreamRoom } from './streams/stream-room.ts';

/** What the calls of the gateway share. */
export interface GatewayCore {
  readonly options: ResolvedGatewayOptions;
  readonly home: HomeAddress;
  readonly ledger: Ledger;
  /** The intents of the API's own operations. */
  readonly operations: Intents;
  /** The operations that work on what is sent to these addresses, by the keys of those. */
  readonly recipients: ReadonlyMap<string, LocalOperation>;
  readonly store: IntentStore;
  readonly mailboxes: Mailboxes;
  readonly keys: KeyRing;
  readonly accounts: Accounts;
  readonly streams: StreamRoom;
  readonly inboxFeeds: InboxFeeds;
  readonly heartbeats: Heartbeats;
  readonly kills: KillSwitch;
  readonly schemas: SchemaRegister;
  readonly subscriptions: Subscriptions;
  readonly webhookEvents: WebhookEvents;
}
