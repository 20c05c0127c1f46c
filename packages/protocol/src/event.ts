import { z } from 'zod';
import { statusSchema, waitingReasonSchema, type Status, type WaitingReason } from './status.ts';

/** The event types of this version. Readers must accept types that they do not know. */
export const EVENT_TYPES = [
  'intent.created',
  'intent.submitted',
  'intent.delivered',
  'intent.acknowledged',
  'intent.in_progress',
  'intent.waiting',
  'intent.completed',
  'intent.failed',
  'intent.canceled',
  'intent.timed_out',
  'intent.delivery_failed',
  'intent.cancel_requested',
  'intent.progress',
  'intent.output',
  'intent.step',
  'intent.child_started',
  'intent.child_ended',
  'intent.signal',
  'intent.resumed',
  'intent.reminder',
  'intent.escalated',
  'intent.transfer',
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** One change of an intent, as it travels over SSE and JSON. */
export const eventSchema = z.object({
  intent_id: z.string(),
  seq: z.int().min(1),
  event_type: z.string().regex(/^intent\.[a-z_]+$/),
  status: statusSchema,
  at: z.iso.datetime(),
  attempt: z.int().min(1).optional(),
  actor: z.string().optional(),
  waiting_reason: waitingReasonSchema.optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

export type WireEvent = z.infer<typeof eventSchema>;

/** The answer of `GET P/{id}/events` with `Accept: application/json`. */
export const eventListSchema = z.object({ ok: z.literal(true), events: z.array(eventSchema) });

export type WireEventList = z.infer<typeof eventListSchema>;

/** One change of an intent, as the code speaks of it. Instants are milliseconds since the epoch. */
export interface IntentEvent {
  readonly seq: number;
  readonly type: EventType;
  readonly status: Status;
  readonly at: number;
  readonly attempt?: number;
  readonly actor?: string;
  readonly waitingReason?: WaitingReason;
  /** Free data of the event; its keys are wire keys already. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * Serialises an event to its one line of wire JSON. This happens once in the life of an event. What is
 * ours to choose (ids, types, statuses) is plain ASCII and needs no escaping; the rest is stringified.
 * `instant` is `event.at` in RFC 3339, for callers that have it already.
 */
export function encodeEvent(
  intentId: string,
  event: IntentEvent,
  instant: string = new Date(event.at).toISOString(),
): string {
  const { seq, type, status, attempt, actor, waitingReason, details } = event;
  let json =
    `{"intent_id":"${intentId}","seq":${seq},"event_type":"${type}",` +
    `"status":"${status}","at":"${instant}"`;
  if (attempt !== undefined) json += `,"attempt":${attempt}`;
  if (actor !== undefined) json += `,"actor":${JSON.stringify(actor)}`;
  if (waitingReason !== undefined) json += `,"waiting_reason":"${waitingReason}"`;
  if (details !== undefined) json += `,"details":${JSON.stringify(details)}`;
  return `${json}}`;
}
