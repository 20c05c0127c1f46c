import type { FullReply } from '@durable-api/core';
import { isTerminal } from '@durable-api/protocol';
import type { GatewayCore } from '../gateway-core.ts';
import { AxpError, invalid } from '../http/errors.ts';
import { field, optionalInteger, text } from '../http/fields.ts';
import { ok, type GatewayRequest, type Route } from '../http/route.ts';
import { actorOf } from '../intents/actor.ts';
import { findIntent } from '../intents/find-intent.ts';
import type { AxpIntent } from '../intents/intent-state.ts';
import { checkMayAct, keyOf } from '../intents/parse-envelope.ts';
import { intentWire } from '../intents/wire.ts';
import { Draft } from '../lifecycle/draft.ts';
import { endLease, findLease, openLease, renewLease } from './agent-lease.ts';
import { isHeldBy, loseOne } from './lose-intents.ts';

/** How long a lease is unless its agent says, in seconds, and at most. */
const DEFAULT_SECONDS = 15;
const MAX_SECONDS = 3_600;
/** How many intents one renewal names at most. */
const MAX_HELD = 1_000;

/**
 * Leases of agents, which the protocol does not have: what an agent claims under its lease is given to nobody
 * else while the lease is renewed, and is sent again when it has run out.
 */
export function leaseRoutes(core: GatewayCore): readonly Route[] {
  return [
    { method: 'POST', path: '/v1/agents/*/leases', answer: (request) => open(core, request) },
    {
      method: 'POST',
      path: '/v1/agents/*/leases/:lease/renew',
      answer: (request) => renew(core, request),
    },
    {
      method: 'POST',
      path: '/v1/agents/*/leases/:lease/end',
      answer: (request) => end(core, request),
    },
    { method: 'POST', path: '/v1/intents/:id/claim', answer: (request) => claim(core, request) },
  ];
}

async function open(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const address = addressOf(core, request);
  const seconds =
    optionalInteger(field(request.body, 'lease_seconds'), 'lease_seconds', {
      min: 1,
      max: MAX_SECONDS,
    }) ?? DEFAULT_SECONDS;
  const id = await openLease(core, address, seconds * 1_000);
  return ok({ ok: true, lease_id: id, lease_seconds: seconds });
}

async function renew(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const id = request.params['lease'] ?? '';
  const lease = await findLease(core, addressOf(core, request), id);
  const ids = idsOf(request.body['intent_ids']);
  const isAlive = lease !== null && (await renewLease(core, lease));
  if (!isAlive) return ok({ ok: true, alive: false, lost: ids });
  const found = await core.store.find(ids);
  const lost = ids.filter((_, i) => {
    const intent = found[i] ?? null;
    return intent === null || !isHeldBy(intent, id);
  });
  return ok({ ok: true, alive: true, lost });
}

async function end(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const lease = await findLease(core, addressOf(core, request), request.params['lease'] ?? '');
  if (lease !== null) await endLease(core, lease.record, 'released');
  return ok({ ok: true });
}

/** `POST /v1/intents/{id}/claim`: an agent takes an intent under its lease. */
async function claim(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const intent = await findIntent(core, request, 'resume');
  const id = text(field(request.body, 'lease_id'), 'lease_id', { min: 1, max: 64 });
  const { to } = intent.envelope;
  if ((await findLease(core, to, id)) === null) throw leaseEnded();
  const other = intent.state.lease;
  // One that was claimed while its lease ended may not have been sent again.
  const isFree = other === null || other === id || (await findLease(core, to, other)) === null;
  const actor = actorOf(request);
  const changed = await core.store.change(intent, (one) =>
    isFree && one.state.lease === other ? claimed(one, id, actor, core.ledger.now()) : null,
  );
  // It may have been ended between, after which nobody would look at what it holds.
  if (changed !== null && (await findLease(core, to, id)) === null) {
    await loseOne(core, changed.intent, 'lease_lost');
    throw leaseEnded();
  }
  const now = changed?.intent ?? (await core.store.get(intent.record.id));
  return ok({ ok: true, claimed: isHeldBy(now, id), intent: intentWire(now) });
}

function claimed(intent: AxpIntent, lease: string, actor: string, now: number): Draft | null {
  const { record, state } = intent;
  if (isTerminal(record.status) || state.lease === lease) return null;
  if (record.waitingReason === 'WAITING_FOR_HUMAN') return null;
  return new Draft(intent, now)
    .patch({ lease, redeliverAt: null })
    .event('in_progress', 'IN_PROGRESS', { actor });
}

function addressOf(core: GatewayCore, { params, caller }: GatewayRequest): string {
  const address = keyOf(params['address'] ?? '', 'address', core.home);
  checkMayAct(caller, address);
  return address;
}

function idsOf(value: unknown): string[] {
  if (value === undefined) return [];
  const ids = Array.isArray(value) ? value.filter((one) => typeof one === 'string') : null;
  if (ids !== null && ids.length <= MAX_HELD) return ids;
  throw invalid(`intent_ids must be a list of at most ${MAX_HELD} intent ids`);
}

function leaseEnded(): AxpError {
  return new AxpError(409, 'lease_ended', 'The lease has ended; open another one.');
}
