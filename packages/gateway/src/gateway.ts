import type { Intents, Ledger } from '@durable-api/core';
import { authenticate } from './access/authenticate.ts';
import { GatewayKeys } from './access/gateway-keys.ts';
import { KeyRing } from './access/key-ring.ts';
import { agentRoutes } from './agents/routes.ts';
import type { GatewayCore } from './gateway-core.ts';
import { healthRoutes } from './health/routes.ts';
import { nodeHandler, type NodeHandler } from './http/node-handler.ts';
import { seeToIntent } from './intents/due.ts';
import { INTENT, IntentStore } from './intents/intent-store.ts';
import { intentRoutes } from './intents/routes.ts';
import { LEASE, seeToLease } from './leases/agent-lease.ts';
import { leaseRoutes } from './leases/lease-calls.ts';
import { agentHost } from './operations/agent-host.ts';
import { Mailboxes } from './mailboxes/mailboxes.ts';
import { Accounts } from './provisioning/accounts.ts';
import { provisioningRoutes } from './provisioning/routes.ts';
import { resolveGatewayOptions, type GatewayOptions } from './options.ts';
import { scenarioRoutes } from './scenarios/routes.ts';
import { tellOthers } from './intents/tell-others.ts';
import { taskRoutes } from './tasks/routes.ts';
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
  const core: GatewayCore = {
    options: resolved,
    home: { org, workspace },
    ledger,
    operations,
    store: new IntentStore(ledger, (intent) => tellOthers(core, intent)),
    mailboxes: new Mailboxes(ledger),
    keys,
    accounts: new Accounts(ledger, { org, workspace }),
    streams: new StreamRoom(ledger, keys, resolved.maxStreams),
  };
  if (resolved.open) {
    ledger.logger.warn({}, 'The gateway is open: anybody who reaches it may do everything');
  }
  ledger.hostAgents(agentHost(core));
  ledger.drive(LEASE, (claimed) => seeToLease(core, claimed));
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
    ],
    home: core.home,
    logger: ledger.logger,
    maxBodyBytes: resolved.maxBodyBytes,
    now: () => ledger.now(),
    authenticate: (headers) => authenticate(keys, resolved.open, headers),
  });
  return Object.assign(handler, { keys: new GatewayKeys(keys, core.accounts) });
}
