import type { Intents, Ledger } from '@durable-api/core';
import { authenticate } from './access/authenticate.ts';
import { GatewayKeys } from './access/gateway-keys.ts';
import { KeyRing } from './access/key-ring.ts';
import { mayGoOn } from './access/may-go-on.ts';
import { agentRoutes } from './agents/routes.ts';
import { APPROVAL, approvalRoutes } from './approvals/routes.ts';
import { CALL, seeToCall } from './calls/answer-once.ts';
import { discoveryRoutes } from './discovery/routes.ts';
import type { GatewayCore } from './gateway-core.ts';
import { healthRoutes } from './health/routes.ts';
import { nodeHandler, type NodeHandler } from './http/node-handler.ts';
import { InboxFeeds } from './inbox/inbox-feeds.ts';
import { inboxRoutes } from './inbox/routes.ts';
import { seeToThread, THREAD } from './inbox/thread-record.ts';
import { seeToIntent } from './intents/due.ts';
import { INTENT, IntentStore } from './intents/intent-store.ts';
import { intentRoutes } from './intents/routes.ts';
import { LEASE, seeToLease } from './leases/agent-lease.ts';
import { leaseRoutes } from './leases/lease-calls.ts';
import { recipientsOf } from './operations/recipients.ts';
import { agentHost } from './operations/agent-host.ts';
import { Mailboxes } from './mailboxes/mailboxes.ts';
import { DAY, Heartbeats, seeToDay } from './mesh/heartbeats.ts';
import { KillSwitch } from './mesh/kill-switch.ts';
import { meshRoutes } from './mesh/routes.ts';
import { Accounts } from './provisioning/accounts.ts';
import { provisioningRoutes } from './provisioning/routes.ts';
import { resolveGatewayOptions, type GatewayOptions } from './options.ts';
import { scenarioRoutes } from './scenarios/routes.ts';
import { schemaRoutes } from './schemas/routes.ts';
import { SchemaRegister } from './schemas/schema-register.ts';
import { tellOthers } from './intents/tell-others.ts';
import { taskRoutes } from './tasks/routes.ts';
import { tellSubscribers } from './webhooks/gateway-events.ts';
import { webhookRoutes } from './webhooks/routes.ts';
import { Subscriptions } from './webhooks/subscriptions.ts';
import { DELIVERY, EVENT, WebhookEvents } from './webhooks/webhook-events.ts';
import { StreamRoom } from './streams/stream-room.ts';

/** What a gateway stands on: a durable API of core, or of an adapter. */
export interface GatewayApi {
  readonly ledger: Ledger;
  readonly intents: Intents;
}

/** A gateway: the middleware itself, and what of it code may use. */
export type Gateway = NodeHandler & {
  /** The API keys: to mint, list and revoke. */
  readonly keys: GatewayKeys;
};

/**
 * Serves the open AXP intent protocol over the store of a durable API. Mount it with `app.use(gateway(api))`
 * in Express and Nest; it answers the protocol's own paths and passes on all others.
 * @throws DurableError `options_invalid` naming each wrong option.
 */
export function gateway(api: GatewayApi, options: GatewayOptions = {}): Gateway {
  const resolved = resolveGatewayOptions(options);
  const { ledger, intents: operations } = api;
  const keys = new KeyRing(ledger, resolved.adminKeys);
  const { org, workspace } = resolved;
  const mailboxes = new Mailboxes(ledger);
  const inboxFeeds = new InboxFeeds(ledger, mailboxes, { org, workspace });
  const recipients = recipientsOf(resolved.operations, { org, workspace });
  const subscriptions = new Subscriptions(ledger);
  const core: GatewayCore = {
    options: resolved,
    home: { org, workspace },
    ledger,
    operations,
    recipients,
    store: new IntentStore(ledger, recipients, {
      async onWritten(intent, events) {
        await inboxFeeds.note(intent);
        await tellSubscribers(core, intent, events);
      },
      onEnded: (intent) => tellOthers(core, intent),
    }),
    mailboxes,
    keys,
    accounts: new Accounts(ledger, { org, workspace }),
    streams: new StreamRoom(ledger, keys, resolved.maxStreams),
    inboxFeeds,
    heartbeats: new Heartbeats(ledger),
    kills: new KillSwitch(ledger),
    schemas: new SchemaRegister(ledger),
    subscriptions,
    webhookEvents: new WebhookEvents(ledger, subscriptions),
  };
  if (resolved.open) {
    ledger.logger.warn({}, 'The gateway is open: anybody who reaches it may do everything');
  }
  ledger.hostAgents(agentHost(core));
  ledger.drive(LEASE, (claimed) => seeToLease(core, claimed));
  ledger.drive(THREAD, (claimed) => seeToThread(core, claimed));
  ledger.drive(DELIVERY, (claimed) => core.webhookEvents.seeToDelivery(claimed));
  for (const operation of [CALL, APPROVAL, EVENT]) {
    ledger.drive(operation, (claimed) => seeToCall(core, claimed));
  }
  ledger.drive(DAY, (claimed) => seeToDay(ledger, claimed));
  ledger.drive(INTENT, (claimed) => seeToIntent(core, claimed));
  const handler = nodeHandler({
    routes: [
      ...healthRoutes(core),
      ...intentRoutes(core),
      ...leaseRoutes(core),
      ...agentRoutes(core),
      ...provisioningRoutes(core),
      ...scenarioRoutes(core),
      ...taskRoutes(core),
      ...inboxRoutes(core),
      ...approvalRoutes(core),
      ...meshRoutes(core),
      ...schemaRoutes(core),
      ...discoveryRoutes(core),
      ...webhookRoutes(core),
    ],
    home: core.home,
    logger: ledger.logger,
    maxBodyBytes: resolved.maxBodyBytes,
    now: () => ledger.now(),
    authenticate: (headers) => authenticate(keys, resolved.open, headers),
    admit: (caller, route) => mayGoOn(core.kills, caller, route),
  });
  return Object.assign(handler, { keys: new GatewayKeys(keys, core.accounts) });
}
