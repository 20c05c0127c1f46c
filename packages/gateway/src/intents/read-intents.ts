import { STATUSES, TERMINAL_STATUSES, type Status } from '@durable-api/protocol';
import type { FullReply } from '@durable-api/core';
import type { GatewayCore } from '../gateway-core.ts';
import { invalid } from '../http/errors.ts';
import { queryInteger } from '../http/fields.ts';
import { ok, rawOk, type GatewayRequest } from '../http/route.ts';
import { take } from '../lifecycle/delivery.ts';
import { findIntent } from './find-intent.ts';
import { INTENT } from './intent-store.ts';
import { eventWire, intentWire } from './wire.ts';
import { keyOf } from './parse-envelope.ts';

/** How many events one read takes. */
const PAGE = 256;
const MAX_LIST = 500;
const LIVE = STATUSES.filter((status) => !TERMINAL_STATUSES.some((end) => end === status));

/** `GET /v1/intents/{id}`. When its agent reads what was sent to it, it has taken it. */
export async function getIntent(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  let intent = await findIntent(core, request, 'see');
  const { caller } = request;
  if (caller.kind === 'agent' && caller.address === intent.envelope.to) {
    const { agent } = caller;
    const taken = await core.store.change(intent, (one) => take(one, agent, core.ledger.now()));
    if (taken !== null) ({ intent } = taken);
    else if (intent.record.status === 'DELIVERED') intent = await core.store.get(intent.record.id);
  }
  const wire = intentWire(intent);
  if (!core.options.mirrorIntent) return ok({ ok: true, intent: wire });
  const { intent_id, status, lifecycle_status, payload } = wire;
  return ok({ ok: true, intent: wire, intent_id, status, lifecycle_status, payload });
}

/** `GET /v1/intents`, newest first. */
export async function listIntents(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const { query, caller, ownerAgent } = request;
  const limit = queryInteger(query, 'limit', { min: 1, max: MAX_LIST }) ?? 50;
  const statuses = statusesOf(query.get('status'));
  const asked = ownerAgent === undefined ? undefined : keyOf(ownerAgent, 'owner_agent', core.home);
  const owner = caller.kind === 'agent' ? caller.address : asked;
  const before = query.get('before') ?? undefined;
  const records = await core.ledger.list({
    operation: INTENT,
    limit,
    ...(owner !== undefined && { owner }),
    ...(statuses !== undefined && { statuses }),
    ...(before !== undefined && { before }),
  });
  const intents = await core.store.find(records.map((record) => record.id));
  return ok({ ok: true, intents: intents.flatMap((one) => (one === null ? [] : intentWire(one))) });
}

/** `GET /v1/intents/{id}/events?since=` */
export async function listEvents(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const { record } = await findIntent(core, request, 'see');
  let after = queryInteger(request.query, 'since', { min: 0, max: 2 ** 31 }) ?? 0;
  const all: string[] = [];
  for (;;) {
    const [events = []] = await core.ledger.events({ of: [{ id: record.id, after }], limit: PAGE });
    for (const event of events) all.push(eventWire(event.json));
    after = events.at(-1)?.seq ?? after;
    if (events.length < PAGE) break;
  }
  return rawOk(`{"ok":true,"events":[${all.join(',')}]}`);
}

/** The statuses that a comma-separated text names; `pending` is all that have not ended. */
export function statusesOf(given: string | null): readonly Status[] | undefined {
  if (given === null || given.trim() === '') return undefined;
  return given.split(',').flatMap((part): readonly Status[] => {
    const name = part.trim().toUpperCase();
    if (name === 'PENDING') return LIVE;
    const status = STATUSES.find((one) => one === name.replace('CANCELLED', 'CANCELED'));
    if (status === undefined) throw invalid(`there is no status ${part.trim()}`);
    return [status];
  });
}
