import { isDurableError, type FullReply, type WebhookSender } from '@durable-api/core';
import { mayActAs } from '../access/caller.ts';
import { canonicalAddress } from '../addresses/address.ts';
import { answerOnce } from '../calls/answer-once.ts';
import type { GatewayCore } from '../gateway-core.ts';
import { AxpError, invalid } from '../http/errors.ts';
import { field, optionalObject, optionalText, text } from '../http/fields.ts';
import { instant, type JsonObject } from '../http/json.ts';
import { ok, type GatewayRequest, type Route } from '../http/route.ts';
import { checkMayAct, checkPayloadSize, keyOf } from '../intents/parse-envelope.ts';
import type { Subscription } from './subscriptions.ts';
import type { WebhookEvent } from './webhook-events.ts';

const EVENT_TYPE = /^[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*(?:\.?\*)?$/;
const MAX_EVENT_TYPES = 32;

/** `/v1/webhooks`: who is told of which events. */
export function webhookRoutes(core: GatewayCore): readonly Route[] {
  const subscriptions = '/v1/webhooks/subscriptions';
  return [
    {
      method: 'POST',
      path: subscriptions,
      answer: (request) =>
        answerOnce(core, request, `POST ${subscriptions}`, () => subscribe(core, request)),
    },
    { method: 'GET', path: subscriptions, answer: (request) => list(core, request) },
    { method: 'DELETE', path: `${subscriptions}/:id`, answer: (request) => revoke(core, request) },
    {
      method: 'POST',
      path: '/v1/webhooks/events',
      answer: (request) =>
        answerOnce(core, request, 'POST /v1/webhooks/events', () => accept(core, request)),
    },
    {
      method: 'POST',
      path: '/v1/webhooks/events/:id/replay',
      answer: (request) => {
        const endpoint = `POST /v1/webhooks/events/${request.params['id'] ?? ''}/replay`;
        return answerOnce(core, request, endpoint, () => replay(core, request));
      },
    },
  ];
}

async function subscribe(core: GatewayCore, request: GatewayRequest): Promise<JsonObject> {
  const { body, caller } = request;
  const owner = ownerOf(core, request);
  const active = field(body, 'active') ?? true;
  if (typeof active !== 'boolean') throw invalid('active must be true or false');
  const subscription = await core.subscriptions.add({
    ownerAgent: owner.agent,
    // An admin who names nobody is told of everything.
    concerns: owner.isNamed || caller.kind === 'agent' ? owner.key : null,
    callbackUrl: callbackUrl(core, field(body, 'callback_url')),
    eventTypes: eventTypes(field(body, 'event_types')),
    active,
    description: optionalText(field(body, 'description'), 'description', { max: 500 }) ?? null,
    secret: optionalText(field(body, 'secret'), 'secret', { min: 16, max: 128 }) ?? null,
  });
  return { ok: true, subscription: subscriptionWire(subscription) };
}

async function list(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const { caller, ownerAgent } = request;
  const wanted = ownerAgent === undefined ? null : keyOf(ownerAgent, 'owner_agent', core.home);
  const subscriptions = (await core.subscriptions.list()).filter((one) => {
    const key = keyOf(one.ownerAgent, 'owner_agent', core.home);
    return mayActAs(caller, key) && (wanted === null || wanted === key);
  });
  return ok({ ok: true, subscriptions: subscriptions.map(subscriptionWire) });
}

/** The owner of the request is no permission here: clients create without one and delete with any. */
async function revoke(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const id = request.params['id'] ?? '';
  const subscription = await core.subscriptions.get(id);
  const isOwn =
    subscription !== null &&
    mayActAs(request.caller, keyOf(subscription.ownerAgent, 'owner_agent', core.home));
  if (!isOwn) {
    throw new AxpError(404, 'subscription_not_found', 'There is no such subscription.');
  }
  await core.subscriptions.remove(id);
  return ok({ ok: true, subscription_id: id, revoked_at: instant(core.ledger.now()) });
}

async function accept(core: GatewayCore, request: GatewayRequest): Promise<JsonObject> {
  const { body } = request;
  const type = text(field(body, 'event_type'), 'event_type', { min: 3, max: 120 });
  if (!EVENT_TYPE.test(type) || type.endsWith('*'))
    throw invalid('event_type is no name of an event');
  const payload = optionalObject(field(body, 'payload'), 'payload') ?? {};
  checkPayloadSize(payload);
  const owner = ownerOf(core, request);
  const event: WebhookEvent = {
    id: core.ledger.newId(),
    type,
    source: optionalText(field(body, 'source'), 'source', { max: 383 }) ?? 'api',
    ownerAgent: owner.agent,
    owners: [owner.key],
    payload,
  };
  await core.webhookEvents.keep(event);
  const queued = await core.webhookEvents.publish(event);
  return { ok: true, accepted_at: instant(core.ledger.now()), ...told(event, queued) };
}

async function replay(core: GatewayCore, request: GatewayRequest): Promise<JsonObject> {
  const id = (request.params['id'] ?? '').toLowerCase();
  const event = UUID.test(id) ? await core.webhookEvents.find(id) : null;
  const mayReplay = event?.owners.some((owner) => mayActAs(request.caller, owner)) === true;
  if (event === null || !mayReplay) {
    throw new AxpError(404, 'event_not_found', 'There is no such event.');
  }
  const queued = await core.webhookEvents.publish(event, core.ledger.newId());
  return { ok: true, replayed_at: instant(core.ledger.now()), ...told(event, queued) };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Deliveries are made after the answer. */
function told(event: WebhookEvent, queued: number): JsonObject {
  return {
    event_id: event.id,
    event_type: event.type,
    source: event.source,
    owner_agent: event.ownerAgent,
    queued_deliveries: queued,
    processed_deliveries: 0,
    delivered: 0,
    pending: queued,
    dead_lettered: 0,
  };
}

interface Owner {
  readonly agent: string;
  readonly key: string;
  readonly isNamed: boolean;
}

/** Whom the request names, else whose key it has. @throws AxpError 403 */
function ownerOf(core: GatewayCore, { body, caller, ownerAgent }: GatewayRequest): Owner {
  const given = ownerAgent ?? optionalText(field(body, 'owner_agent'), 'owner_agent', { max: 383 });
  if (given !== undefined) {
    const key = keyOf(given, 'owner_agent', core.home);
    checkMayAct(caller, key);
    return { agent: given, key, isNamed: true };
  }
  if (caller.kind === 'agent') return { agent: caller.agent, key: caller.address, isNamed: false };
  const key = keyOf('admin', 'owner_agent', core.home);
  return { agent: canonicalAddress(key), key, isNamed: false };
}

/** Where webhooks are off, what is no URL at all is refused, and nothing is ever sent. */
function callbackUrl({ ledger }: GatewayCore, value: unknown): string {
  const url = text(value, 'callback_url', { min: 8, max: 2_048 });
  if (ledger.webhooks !== null) return checkUrl(ledger.webhooks, url);
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed !== null && /^https?:$/.test(parsed.protocol) && parsed.username === '') return url;
  throw invalid('callback_url must be an http or https URL', { field: 'callback_url' });
}

function checkUrl(webhooks: WebhookSender, url: string): string {
  try {
    return webhooks.check(url);
  } catch (error) {
    if (!isDurableError(error)) throw error;
    throw new AxpError(422, error.code, error.message, { details: { field: 'callback_url' } });
  }
}

function eventTypes(value: unknown): readonly string[] {
  const types: readonly unknown[] = Array.isArray(value) ? value : [];
  const names = types.filter((type) => typeof type === 'string' && isEventType(type));
  if (names.length === types.length && names.length >= 1 && names.length <= MAX_EVENT_TYPES) {
    return names.map(String);
  }
  throw invalid(`event_types must be 1 to ${MAX_EVENT_TYPES} names, like inbox.thread_created`);
}

function isEventType(type: string): boolean {
  return type === '*' || (type.length >= 3 && type.length <= 120 && EVENT_TYPE.test(type));
}

function subscriptionWire(subscription: Subscription): JsonObject {
  const { secret } = subscription;
  return {
    subscription_id: subscription.id,
    owner_agent: subscription.ownerAgent,
    callback_url: subscription.callbackUrl,
    event_types: subscription.eventTypes,
    active: subscription.active,
    description: subscription.description,
    created_at: subscription.createdAt,
    updated_at: subscription.createdAt,
    revoked_at: null,
    secret_hint: secret === null ? null : `…${secret.slice(-4)}`,
  };
}
