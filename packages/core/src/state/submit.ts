import type { IntentEvent } from '@durable-api/protocol';
import type { Idempotency, IntentRecord } from './intent.ts';
import { transition } from './transition.ts';

/** What is known of an intent at its submit. */
export interface NewIntent {
  readonly id: string;
  readonly operation: string;
  /** The version of the operation. Default: it has none. */
  readonly version?: string;
  readonly owner: string;
  readonly deadlineAt: number | null;
  readonly idempotency: Idempotency | null;
  /** The intent that it does again. */
  readonly retriedFrom?: string;
  /** The intent whose handler starts it. */
  readonly parentIntentId?: string;
  /** The tick of a schedule that starts it. */
  readonly tick?: { readonly schedule: string; readonly scheduledFor: Date };
  /** What its limits and turns go by; then `id` is one that `placeId` has made. Default: it has none. */
  readonly key?: string;
  /** See {@link IntentRecord.priority}. */
  readonly priority?: number;
  /** What no other intent that has not ended may have. */
  readonly liveKey?: string;
  /** When the first attempt may start; until then the intent is WAITING. Default: at once. */
  readonly startAt?: number;
}

/** A lease that the submitting process takes in the submit's own write. */
export interface EagerLease {
  readonly holder: string;
  readonly until: number;
}

/**
 * The record of a new intent and its first events: created and submitted and, under an eager lease,
 * the start of the first attempt; or, when it starts later, that it waits.
 */
export function createIntent(
  intent: NewIntent,
  now: number,
  eager: EagerLease | null,
): { record: IntentRecord; events: readonly IntentEvent[] } {
  const submitted: IntentRecord = {
    id: intent.id,
    operation: intent.operation,
    ...(intent.version !== undefined && { version: intent.version }),
    owner: intent.owner,
    createdAt: now,
    deadlineAt: intent.deadlineAt,
    idempotency: intent.idempotency,
    ...(intent.retriedFrom !== undefined && { retriedFrom: intent.retriedFrom }),
    ...(intent.parentIntentId !== undefined && { parentIntentId: intent.parentIntentId }),
    ...(intent.key !== undefined && { key: intent.key }),
    ...(intent.priority !== undefined && intent.priority !== 0 && { priority: intent.priority }),
    ...(intent.liveKey !== undefined && { liveKey: intent.liveKey }),
    seq: 2,
    status: 'SUBMITTED',
    waitingReason: null,
    updatedAt: now,
    attempt: 0,
    failures: 0,
    cancelRequestedAt: null,
    progress: null,
    error: null,
    lease: 0,
    holder: null,
    lostLeases: 0,
    dueAt: Math.min(intent.startAt ?? now, intent.deadlineAt ?? Infinity),
  };
  const origin = originOf(intent);
  const events: IntentEvent[] = [
    {
      seq: 1,
      type: 'intent.created',
      status: 'CREATED',
      at: now,
      ...(origin !== null && { details: origin }),
    },
    { seq: 2, type: 'intent.submitted', status: 'SUBMITTED', at: now },
  ];
  if (intent.startAt !== undefined && intent.startAt > now)
    return held(submitted, events, intent.startAt);
  if (eager === null) return { record: submitted, events };
  const dueAt = Math.min(eager.until, intent.deadlineAt ?? Infinity);
  const leased: IntentRecord = { ...submitted, lease: 1, holder: eager.holder, dueAt };
  const started = transition(leased, { type: 'start' }, now);
  if (!started.ok) throw new Error(`A new intent could not start: ${started.reason}`);
  return { record: started.record, events: [...events, ...started.events] };
}

/** An intent that was submitted and starts later. */
function held(
  submitted: IntentRecord,
  events: IntentEvent[],
  startAt: number,
): ReturnType<typeof createIntent> {
  const waiting = { status: 'WAITING', waitingReason: 'WAITING_FOR_TIME' } as const;
  const record = { ...submitted, ...waiting, seq: submitted.seq + 1 };
  const details = { resume_at: new Date(startAt).toISOString() };
  const at = submitted.createdAt;
  events.push({ seq: record.seq, type: 'intent.waiting', ...waiting, at, details });
  return { record, events };
}

/** What the first event says of where an intent comes from; null when a client has sent it. */
function originOf({
  retriedFrom,
  parentIntentId,
  tick,
}: NewIntent): Record<string, unknown> | null {
  if (retriedFrom === undefined && parentIntentId === undefined && tick === undefined) return null;
  return {
    ...(retriedFrom !== undefined && { retried_from: retriedFrom }),
    ...(parentIntentId !== undefined && { parent_intent_id: parentIntentId }),
    ...(tick !== undefined && {
      schedule: tick.schedule,
      scheduled_for: tick.scheduledFor.toISOString(),
    }),
  };
}
