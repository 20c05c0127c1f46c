import { isObject, type JsonObject } from '../http/json.ts';

/** When somebody is reminded, and who else is told after that. */
export interface Reminding {
  readonly afterMs: number | null;
  readonly intervalMs: number | null;
  /** Null: once without an interval, for ever with one. */
  readonly max: number | null;
  readonly escalateTo: string | null;
}

/** Where an intent comes from when it is a part of something else. */
interface Origin {
  /** The intent that waits for this one. */
  readonly intentId: string;
  /** The step of a scenario that it is. */
  readonly stepId: string | null;
  /** Whether the other is an intent of the gateway, or one of an operation that has handed it over. */
  readonly kind: 'scenario' | 'operation';
}

/** An operation of this API that is the recipient of intents. */
export interface LocalOperation {
  readonly name: string;
  /** Whose its intents are. */
  readonly owner: string;
}

/** What an intent is, as it was created; it never changes. */
export interface Envelope {
  readonly intentType: string;
  readonly correlationId: string;
  /** Addresses as their sender wrote them. */
  readonly fromAgent: string | null;
  readonly toAgent: string;
  readonly replyTo: string | null;
  /** The key of `toAgent`: the mailbox that the intent goes to. */
  readonly to: string;
  /** The key of `fromAgent`. */
  readonly from: string | null;
  readonly payload: JsonObject;
  readonly maxDeliveryAttempts: number;
  readonly reminding: Reminding | null;
  readonly humanTask: JsonObject | null;
  readonly origin: Origin | null;
  /** What works on it in place of an agent; null for other intents, and absent from older ones. */
  readonly operation?: LocalOperation | null;
  /** What a scenario is to do; null for other intents. */
  readonly scenario: JsonObject | null;
  /** Who created it: the id of the caller. */
  readonly createdBy: string;
}

/** Whether a stored value is an envelope: it is when this gateway wrote it. */
export function isEnvelope(value: unknown): value is Envelope {
  return (
    isObject(value) && typeof value['intentType'] === 'string' && 'maxDeliveryAttempts' in value
  );
}
