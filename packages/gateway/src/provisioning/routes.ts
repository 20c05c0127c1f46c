import type { FullReply } from '@durable-api/core';
import type { KeyInfo } from '../access/key-ring.ts';
import type { GatewayCore } from '../gateway-core.ts';
import { AxpError } from '../http/errors.ts';
import { field, optionalInstant, optionalText, text } from '../http/fields.ts';
import { ok, type GatewayRequest, type Route } from '../http/route.ts';
import type { ServiceAccount } from './accounts.ts';
import { MAX_ADDRESS } from '../addresses/address.ts';

/** `/v1/service-accounts`: agents, and the keys that they use. */
export function provisioningRoutes(core: GatewayCore): readonly Route[] {
  const path = '/v1/service-accounts';
  const admin = (answer: (core: GatewayCore, request: GatewayRequest) => Promise<FullReply>) => {
    return (request: GatewayRequest): Promise<FullReply> => {
      checkAdmin(request);
      return answer(core, request);
    };
  };
  return [
    { method: 'GET', path, answer: admin(list) },
    { method: 'POST', path, answer: admin(create) },
    { method: 'GET', path: `${path}/:id`, answer: admin(get) },
    { method: 'DELETE', path: `${path}/:id`, answer: admin(remove) },
    { method: 'POST', path: `${path}/:id/keys`, answer: admin(mintKey) },
    { method: 'GET', path: `${path}/:id/keys`, answer: admin(listKeys) },
    { method: 'POST', path: `${path}/:id/keys/:key/revoke`, answer: admin(revokeKey) },
  ];
}

/** @throws AxpError 403 */
function checkAdmin({ caller }: GatewayRequest): void {
  if (caller.kind === 'admin') return;
  throw new AxpError(403, 'policy_denied', 'Only an admin key may do that.');
}

async function list({ accounts }: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const all = await accounts.list();
  return ok({ ok: true, service_accounts: all.map((one) => accountWire(one, request)) });
}

async function create({ accounts }: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const { body } = request;
  const name = text(field(body, 'name'), 'name', { min: 1, max: MAX_ADDRESS });
  const given = optionalText(field(body, 'display_name'), 'display_name', { max: 255 });
  const { account } = await accounts.ensure(name, given ?? null);
  return ok({ ok: true, service_account: accountWire(account, request) });
}

async function get(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const account = await accountOf(core, request);
  const keys = await core.keys.list(account.id);
  return ok({
    ok: true,
    service_account: { ...accountWire(account, request), keys: keys.map(keyWire) },
  });
}

async function remove(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const account = await accountOf(core, request);
  await core.accounts.remove(account.id);
  for (const key of await core.keys.list(account.id)) await core.keys.revoke(key.keyId);
  return ok({ ok: true, service_account_id: account.id, status: 'deleted' });
}

async function mintKey(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const { id, agent, address } = await accountOf(core, request);
  const expiresAt = optionalInstant(field(request.body, 'expires_at'), 'expires_at');
  const { info, token } = await core.keys.mint({
    kind: 'agent',
    agent,
    address,
    serviceAccountId: id,
    ...(expiresAt !== undefined && { expiresAt }),
  });
  return ok({ ok: true, key: { ...keyWire(info), token } });
}

async function listKeys(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const account = await accountOf(core, request);
  const keys = await core.keys.list(account.id);
  return ok({ ok: true, keys: keys.map(keyWire) });
}

async function revokeKey(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const account = await accountOf(core, request);
  const keyId = request.params['key'] ?? '';
  const known = (await core.keys.list(account.id)).some((key) => key.keyId === keyId);
  const key = known ? await core.keys.revoke(keyId) : null;
  if (key === null) throw new AxpError(404, 'key_not_found', 'There is no such key.');
  const { revokedAt } = key;
  return ok({
    ok: true,
    key: {
      service_account_id: account.id,
      key_id: keyId,
      status: 'revoked',
      revoked_at: revokedAt,
    },
  });
}

async function accountOf(core: GatewayCore, { params }: GatewayRequest): Promise<ServiceAccount> {
  const account = await core.accounts.get(params['id'] ?? '');
  if (account !== null) return account;
  throw new AxpError(404, 'service_account_not_found', 'There is no such service account.');
}

/** Without `address`: the command line would store that in place of the name it asked for. */
function accountWire(account: ServiceAccount, { query, body }: GatewayRequest): object {
  return {
    service_account_id: account.id,
    name: account.name,
    agent_address: account.agent,
    display_name: account.displayName,
    org_id: query.get('org_id') ?? body['org_id'] ?? null,
    workspace_id: query.get('workspace_id') ?? body['workspace_id'] ?? null,
    status: account.status,
    created_at: account.createdAt,
    updated_at: account.updatedAt,
  };
}

function keyWire(key: KeyInfo): object {
  return {
    key_id: key.keyId,
    key_hint: key.hint,
    status: key.status,
    created_at: key.createdAt,
    expires_at: key.expiresAt,
    service_account_id: key.serviceAccountId,
    ...(key.revokedAt !== null && { revoked_at: key.revokedAt }),
  };
}
