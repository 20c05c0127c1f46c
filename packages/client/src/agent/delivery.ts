import type { DeliveryEvent, Intent, JsonObject } from './wire.ts';

/** An intent that an agent was given. */
export interface Delivery {
  readonly intentId: string;
  /** What is asked for, such as `report.generate.v1`. */
  readonly intentType: string;
  readonly payload: JsonObject;
  /** Which delivery it is, from 1. From the second on, it may have been begun before. */
  readonly attempt: number;
  /** Its place in the mailbox of the agent. */
  readonly cursor: number;
  /** The whole intent, as it was when it was taken. */
  readonly intent: Intent;
}

/** What an agent is given of a taken intent. */
export function toDelivery(
  { seq, delivery_attempt: attempt = 1 }: DeliveryEvent,
  intent: Intent,
): Delivery {
  return {
    intentId: intent.intent_id,
    intentType: intent.intent_type,
    payload: intent.payload,
    attempt: Math.max(1, attempt),
    cursor: seq,
    intent,
  };
}
