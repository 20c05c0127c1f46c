import type { FullReply } from '@durable-api/core';
import type { GatewayCore } from '../gateway-core.ts';
import { AxpError } from '../http/errors.ts';
import { queryInteger } from '../http/fields.ts';
import { ok, type GatewayRequest } from '../http/route.ts';
import { checkMayAct, keyOf } from '../intents/parse-envelope.ts';
import type { ServiceAccount } from '../provisioning/accounts.ts';

/** `GET /v1/agents/{address}` */
export async function getAgent(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const address = keyOf(request.params['address'] ?? '', 'address', core.home);
  checkMayAct(request.caller, address);
  const account = await core.accounts.ofAddress(address);
  if (account === null) throw new AxpError(404, 'agent_not_found', 'There is no such agent.');
  return ok({ ok: true, agent: { ...agentWire(account), updated_at: account.updatedAt } });
}

/** `GET /v1/agents`. A gateway has one tenant: whatever organisation is asked for is that. */
export async function listAgents(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const { caller, query } = request;
  const limit = queryInteger(query, 'limit', { min: 1, max: 1_000 }) ?? 100;
  const accounts = (await core.accounts.list()).filter(
    ({ address }) =>
      caller.kind === 'admin' || (caller.kind === 'agent' && caller.address === address),
  );
  return ok({ ok: true, agents: accounts.slice(0, limit).map(agentWire) });
}

function agentWire(account: ServiceAccount): object {
  return {
    address: account.agent,
    service_account_id: account.id,
    service_account_name: account.name,
    display_name: account.displayName,
    status: account.status,
    created_at: account.createdAt,
  };
}
