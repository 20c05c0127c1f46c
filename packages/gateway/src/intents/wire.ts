import { FOREVER_AT, isTerminal, type Status } from '@durable-api/protocol';
import { compact, instant, isObject, type JsonObject } from '../http/json.ts';
import type { AxpIntent } from './intent-state.ts';

const LEGACY: Readonly<Partial<Record<Status, string>>> = {
  CREATED: 'accepted',
  SUBMITTED: 'accepted',
  COMPLETED: 'done',
  FAILED: 'failed',
  CANCELED: 'failed',
  TIMED_OUT: 'failed',
  WAITING: 'blocked',
};

/** An intent as callers see it. What there is nothing of is left out: no type of the protocol takes null. */
export function intentWire({ record, envelope, state }: AxpIntent): JsonObject {
  const { reminding, humanTask, scenario, origin } = envelope;
  const { outcome } = state;
  const task = state.humanTask ?? humanTask;
  return compact({
    intent_id: record.id,
    status: record.status,
    lifecycle_status: record.status,
    legacy_status: LEGACY[record.status] ?? 'running',
    lifecycle_waiting_reason: record.waitingReason,
    created_at: instant(record.createdAt),
    updated_at: instant(record.updatedAt),
    intent_type: envelope.intentType,
    correlation_id: envelope.correlationId,
    from_agent: envelope.fromAgent ?? 'agent://anonymous',
    to_agent: envelope.toAgent,
    reply_to: envelope.replyTo,
    payload: envelope.payload,
    result: record.status === 'COMPLETED' ? (outcome?.result ?? {}) : undefined,
    error: record.status === 'FAILED' ? (outcome?.error ?? {}) : undefined,
    reason: outcome?.reason,
    pending_with: state.pendingWith,
    human_task: task,
    due_at: dueAt(state.redeliverAt, record.deadlineAt, isTerminal(record.status)),
    deadline_at: record.deadlineAt === null ? undefined : instant(record.deadlineAt),
    delivery_attempt: record.attempt === 0 ? undefined : record.attempt,
    max_delivery_attempts: envelope.maxDeliveryAttempts,
    remind_after_seconds: seconds(reminding?.afterMs),
    remind_interval_seconds: seconds(reminding?.intervalMs),
    max_reminders: reminding?.max,
    escalate_to: reminding?.escalateTo,
    policy_generation: state.policyGeneration,
    ...(Object.keys(state.controls).length > 0 && { controls: state.controls }),
    parent_intent_id: origin?.intentId,
    step_id: origin?.stepId,
    scenario_id: scenario?.['scenario_id'],
    compile_id: scenario?.['compile_id'],
    steps: state.workflow?.['steps'],
  });
}

/** A stored event as callers see it, as one line of JSON. */
export function eventWire(json: string): string {
  const event: unknown = JSON.parse(json);
  if (!isObject(event)) return json;
  const { waiting_reason, handler, actor, pending_with, details, human_task, at, ...rest } = event;
  return JSON.stringify({
    ...rest,
    waiting_reason: waiting_reason ?? null,
    handler: handler ?? null,
    actor: actor ?? 'gateway',
    at,
    ...(pending_with !== undefined && { pending_with }),
    details: details ?? {},
    ...(human_task !== undefined && { human_task }),
  });
}

function dueAt(
  redeliverAt: number | null,
  deadlineAt: number | null,
  isOver: boolean,
): string | undefined {
  const at = Math.min(redeliverAt ?? FOREVER_AT, deadlineAt ?? FOREVER_AT);
  return isOver || at >= FOREVER_AT ? undefined : instant(at);
}

function seconds(ms: number | null | undefined): number | undefined {
  return ms === null || ms === undefined ? undefined : ms / 1_000;
}
