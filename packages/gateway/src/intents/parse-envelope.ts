import { randomUUID } from 'node:crypto';
import { MAX_AGENT_PAYLOAD_BYTES } from '@durable-api/core';
import { mayActAs, type Caller } from '../access/caller.ts';
import {
  addressKey,
  canonicalAddress,
  MAX_ADDRESS,
  type HomeAddress,
} from '../addresses/address.ts';
import { AxpError, invalid } from '../http/errors.ts';
import {
  field,
  optionalAddress,
  optionalInstant,
  optionalInteger,
  optionalObject,
  optionalText,
  text,
} from '../http/fields.ts';
import { isObject, type JsonObject } from '../http/json.ts';
import { tooLarge } from '../http/read-body.ts';
import type { Envelope, Reminding } from './envelope.ts';

/** Default of `max_delivery_attempts`. */
export const DELIVERY_ATTEMPTS = 5;
const INTENT_TYPE = /^[a-z0-9_]+(?:\.[a-z0-9_-]+)+$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const LARGE = 2 ** 31 - 1;

/** What an intent is created with. */
export interface NewIntent {
  readonly envelope: Envelope;
  readonly deadlineAt: number | null;
}

/** The names of an envelope; anything else belongs to the payload when there is none. */
const ENVELOPE_FIELDS = new Set([
  'intent_type',
  'intentType',
  'correlation_id',
  'correlationId',
  'to_agent',
  'toAgent',
  'from_agent',
  'fromAgent',
  'reply_to',
  'replyTo',
  'payload',
  'deadline_at',
  'ttl_seconds',
  'remind_after_seconds',
  'remind_interval_seconds',
  'max_reminders',
  'max_delivery_attempts',
  'escalate_to',
  'human_task',
  'owner_agent',
  'idempotency_key',
]);

/** @throws AxpError 422 for what is no intent, 413 for a payload that is too large. */
export function parseEnvelope(
  body: JsonObject,
  caller: Caller,
  home: HomeAddress,
  now: number,
): NewIntent {
  const intentType = text(field(body, 'intent_type', 'intentType'), 'intent_type', {
    min: 1,
    max: 255,
  });
  if (!INTENT_TYPE.test(intentType)) throw invalid('intent_type must look like report.generate.v1');
  const toAgent = text(field(body, 'to_agent', 'toAgent'), 'to_agent', {
    min: 3,
    max: MAX_ADDRESS,
  });
  const to = keyOf(toAgent, 'to_agent', home);
  const given = optionalAddress(field(body, 'from_agent', 'fromAgent'), 'from_agent');
  const fromAgent = caller.kind === 'agent' ? caller.agent : (given ?? null);
  const replyTo = optionalText(field(body, 'reply_to', 'replyTo'), 'reply_to', {
    min: 3,
    max: MAX_ADDRESS,
  });
  if (replyTo !== undefined) keyOf(replyTo, 'reply_to', home);
  const envelope: Envelope = {
    intentType,
    correlationId: correlationId(field(body, 'correlation_id', 'correlationId')),
    fromAgent,
    toAgent,
    replyTo: replyTo ?? null,
    to,
    from: fromAgent === null ? null : addressKey(fromAgent, home),
    payload: payloadOf(body),
    maxDeliveryAttempts:
      optionalInteger(field(body, 'max_delivery_attempts'), 'max_delivery_attempts', {
        min: 1,
        max: 1_000,
      }) ?? DELIVERY_ATTEMPTS,
    reminding: parseReminding(body),
    humanTask: parseHumanTask(field(body, 'human_task')),
    origin: null,
    scenario: null,
    createdBy: caller.id,
  };
  return { envelope, deadlineAt: parseDeadline(body, now) };
}

/** When the intent has to have ended: `deadline_at` or `ttl_seconds`. */
function parseDeadline(body: JsonObject, now: number): number | null {
  const deadlineAt = optionalInstant(field(body, 'deadline_at'), 'deadline_at');
  const ttl = optionalInteger(field(body, 'ttl_seconds'), 'ttl_seconds', { min: 60, max: 604_800 });
  if (deadlineAt !== undefined && ttl !== undefined) {
    throw invalid('deadline_at and ttl_seconds exclude each other');
  }
  return deadlineAt ?? (ttl === undefined ? null : now + ttl * 1_000);
}

/** Reminders and escalation; null when none is asked for. */
function parseReminding(body: JsonObject): Reminding | null {
  const number = (name: string): number | null =>
    optionalInteger(field(body, name), name, { min: 1, max: LARGE }) ?? null;
  const after = number('remind_after_seconds');
  const interval = number('remind_interval_seconds');
  const max = number('max_reminders');
  const escalateTo = optionalAddress(field(body, 'escalate_to'), 'escalate_to') ?? null;
  if (after === null && interval === null) return null;
  return {
    afterMs: after === null ? null : after * 1_000,
    intervalMs: interval === null ? null : interval * 1_000,
    max,
    escalateTo,
  };
}

/** A task for a person, with a title; null when there is none. */
function parseHumanTask(value: unknown): JsonObject | null {
  const task = optionalObject(value, 'human_task');
  if (task === undefined) return null;
  const title = task['title'];
  return { ...task, title: typeof title === 'string' && title !== '' ? title : 'Please decide' };
}

/** @throws AxpError 422 for what is no address. */
export function keyOf(address: string, name: string, home: HomeAddress): string {
  const key = addressKey(address, home);
  if (key !== null) return key;
  throw new AxpError(422, 'invalid_agent_address', `${name} is no address`, {
    details: { field: name },
  });
}

/** @throws AxpError 413 */
export function checkPayloadSize(payload: JsonObject): void {
  const bytes = Buffer.byteLength(JSON.stringify(payload));
  if (bytes > MAX_AGENT_PAYLOAD_BYTES) throw tooLarge(MAX_AGENT_PAYLOAD_BYTES, 'The payload');
}

/** @throws AxpError 403 when the caller may not act for this agent. */
export function checkMayAct(caller: Caller, key: string): void {
  if (mayActAs(caller, key)) return;
  const message = `This key may not act for ${canonicalAddress(key)}.`;
  throw new AxpError(403, 'policy_denied', message);
}

function payloadOf(body: JsonObject): JsonObject {
  const given = field(body, 'payload');
  if (given !== undefined && !isObject(given)) throw invalid('payload must be an object');
  const payload =
    given ??
    Object.fromEntries(Object.entries(body).filter(([name]) => !ENVELOPE_FIELDS.has(name)));
  checkPayloadSize(payload);
  return payload;
}

function correlationId(value: unknown): string {
  if (value === undefined) return randomUUID();
  if (typeof value === 'string' && UUID.test(value)) return value;
  throw invalid('correlation_id must be a UUID', { field: 'correlation_id' });
}
