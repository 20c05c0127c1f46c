import type { JsonObject } from './wire.ts';

/** What to send to an agent. */
export interface IntentRequest {
  /** What is asked for, such as `report.generate.v1`. */
  readonly intentType: string;
  /** Whom it is for: `agent://org/workspace/name`, or a bare name. It need not be registered. */
  readonly toAgent: string;
  /** Default `{}`. */
  readonly payload?: JsonObject | undefined;
  /** Who sends it. The gateway knows better from the key of an agent. */
  readonly fromAgent?: string | undefined;
  /** Into whose inbox word of its end is put. */
  readonly replyTo?: string | undefined;
  /** A UUID of yours. Default: the gateway makes one. */
  readonly correlationId?: string | undefined;
  /** When it is TIMED_OUT: an instant, or ISO 8601. Default: never. */
  readonly deadlineAt?: Date | string | undefined;
  /** How often it is sent to an agent that does not take it. Default: the gateway's. */
  readonly maxDeliveryAttempts?: number | undefined;
  /** After how long whoever is waited for is reminded; whole seconds count. Default: never. */
  readonly remindAfterMs?: number | undefined;
  /** How often after that. */
  readonly remindIntervalMs?: number | undefined;
  readonly maxReminders?: number | undefined;
  /** Who gets it after the last reminder. */
  readonly escalateTo?: string | undefined;
  /** Has a person do it: `title`, `description`, `allowed_outcomes`, … as on the wire. */
  readonly humanTask?: JsonObject | undefined;
}

/** A request as it is on the wire. */
export function encodeIntentRequest(request: IntentRequest): JsonObject {
  const { deadlineAt } = request;
  return {
    intent_type: request.intentType,
    to_agent: request.toAgent,
    payload: request.payload ?? {},
    from_agent: request.fromAgent,
    reply_to: request.replyTo,
    correlation_id: request.correlationId,
    deadline_at: deadlineAt instanceof Date ? deadlineAt.toISOString() : deadlineAt,
    max_delivery_attempts: request.maxDeliveryAttempts,
    remind_after_seconds: seconds(request.remindAfterMs),
    remind_interval_seconds: seconds(request.remindIntervalMs),
    max_reminders: request.maxReminders,
    escalate_to: request.escalateTo,
    human_task: request.humanTask,
  };
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.max(1, Math.round(ms / 1_000));
}
