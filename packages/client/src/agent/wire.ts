import type { Status, WaitingReason } from '@durable-api/protocol';
import {
  isFlag,
  isInstant,
  isReason,
  isRecord,
  isStatus,
  isText,
  isTrue,
  matching,
  object,
  wholeFrom,
  type Guard,
} from '../wire.ts';

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Who is waited for. */
export interface PendingWith {
  readonly type: 'agent' | 'human' | 'internal' | (string & {});
  readonly ref?: string;
  readonly name?: string;
}

/** An event of an intent, as the gateway sends it. */
export interface IntentEvent {
  readonly intent_id: string;
  readonly seq: number;
  readonly event_type: string;
  readonly status: Status;
  readonly at: string;
  readonly waiting_reason?: WaitingReason | null;
  readonly handler?: string | null;
  readonly actor?: string | null;
  readonly pending_with?: PendingWith | null;
  readonly details?: JsonObject | null;
}

/** An intent as the gateway shows it. Members that are not named here depend on the gateway. */
export interface Intent {
  readonly intent_id: string;
  readonly status: Status;
  readonly created_at: string;
  readonly intent_type: string;
  readonly correlation_id?: string | null;
  readonly from_agent?: string | null;
  readonly to_agent?: string | null;
  readonly payload: JsonObject;
  /** What came of it, once COMPLETED. */
  readonly result?: JsonObject | null;
  /** Why it FAILED. */
  readonly error?: JsonObject | null;
  /** Why it was CANCELED or is TIMED_OUT. */
  readonly reason?: string | null;
  readonly [more: string]: unknown;
}

/** An event of an agent's stream: something is to be done. */
export interface DeliveryEvent {
  readonly intent_id: string;
  /** The place in the mailbox of the agent, not in the life of the intent. */
  readonly seq: number;
  readonly status: Status;
  readonly delivery_attempt?: number;
}

const orNull =
  <T>(is: Guard<T>): Guard<T | null> =>
  (value): value is T | null =>
    value === null || is(value);

const isPendingWith: Guard<PendingWith> = object({ type: isText, ref: isText, name: isText }, [
  'ref',
  'name',
]);

export const isIntentEvent: Guard<IntentEvent> = object(
  {
    intent_id: isText,
    seq: wholeFrom(1),
    event_type: matching(/^intent\.[a-z_]+$/),
    status: isStatus,
    at: isInstant,
    waiting_reason: orNull(isReason),
    handler: orNull(isText),
    actor: orNull(isText),
    pending_with: orNull(isPendingWith),
    details: orNull(isRecord),
  },
  ['waiting_reason', 'handler', 'actor', 'pending_with', 'details'],
);

const isIntent: Guard<Intent> = object(
  {
    intent_id: isText,
    status: isStatus,
    created_at: isInstant,
    intent_type: isText,
    correlation_id: orNull(isText),
    from_agent: orNull(isText),
    to_agent: orNull(isText),
    payload: isRecord,
    result: orNull(isRecord),
    error: orNull(isRecord),
    reason: orNull(isText),
  },
  ['correlation_id', 'from_agent', 'to_agent', 'result', 'error', 'reason'],
);

export const isDeliveryEvent: Guard<DeliveryEvent> = object(
  {
    intent_id: isText,
    seq: wholeFrom(1),
    status: isStatus,
    delivery_attempt: wholeFrom(0),
  },
  ['delivery_attempt'],
);

export const isIntentAnswer: Guard<{ readonly ok: true; readonly intent: Intent }> = object({
  ok: isTrue,
  intent: isIntent,
});

export const isCreated: Guard<{ readonly ok: true; readonly intent_id: string }> = object({
  ok: isTrue,
  intent_id: isText,
});

export const isIntentEventList: Guard<{
  readonly ok: true;
  readonly events: readonly IntentEvent[];
}> = object({
  ok: isTrue,
  events: (value): value is IntentEvent[] => Array.isArray(value) && value.every(isIntentEvent),
});

/** What comes of a claim. */
export interface Claimed {
  readonly ok: true;
  /** False when it has ended, or another agent has it. */
  readonly claimed: boolean;
  readonly intent: Intent;
}

export const isClaimed: Guard<Claimed> = object({ ok: isTrue, claimed: isFlag, intent: isIntent });

export const isLeaseOpened: Guard<{ readonly ok: true; readonly lease_id: string }> = object({
  ok: isTrue,
  lease_id: isText,
});

/** What comes of a renewal. */
export interface LeaseRenewed {
  readonly ok: true;
  readonly alive: boolean;
  /** Which of the intents that were named are not held by the lease. */
  readonly lost: readonly string[];
}

export const isLeaseRenewed: Guard<LeaseRenewed> = object({
  ok: isTrue,
  alive: isFlag,
  lost: (value): value is string[] => Array.isArray(value) && value.every(isText),
});

export const isOk: Guard<{ readonly ok: true }> = object({ ok: isTrue });
