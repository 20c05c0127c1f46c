import type { IntentEvent } from '@durable-api/protocol';
import type { Idempotency, IntentRecord } from './intent.ts';
import { transition } from './transition.ts';

/** What is known of an intent at its submit. */
export interface NewIntent {
  readonly id: string;
  readonly operation: string;
  readonly owner: string;
  readonly deadlineAt: number | null;
  readonly idempotency: Idempotency | null;
  /** When the first attempt may start; default: at once. */
  readonly startAt?: number;
}

/** A lease that the submitting process takes in the submit's own write. */
export interface EagerLease {
  readonly holder: string;
  readonly until: number;
}

/**
 * The record of a new intent and its first events: created and submitted and, under an eager lease,
 * the start of the first attempt.
 */
export function createIntent(
  intent: NewIntent,
  now: number,
  eager: EagerLease | null,
): { record: IntentRecord; events: readonly IntentEvent[] } {
  const submitted: IntentRecord = {
    id: intent.id,
    operation: intent.operation,
    owner: intent.owner,
    createdAt: now,
    deadlineAt: intent.deadlineAt,
    idempotency: intent.idempotency,
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
  const events: IntentEvent[] = [
    { seq: 1, type: 'intent.created', status: 'CREATED', at: now },
    { seq: 2, type: 'intent.submitted', status: 'SUBMITTED', at: now },
  ];
  if (eager === null) return { record: submitted, events };
  const dueAt = Math.min(eager.until, intent.deadlineAt ?? Infinity);
  const leased: IntentRecord = { ...submitted, lease: 1, holder: eager.holder, dueAt };
  const started = transition(leased, { type: 'start' }, now);
  if (!started.ok) throw new Error(`A new intent could not start: ${started.reason}`);
  return { record: started.record, events: [...events, ...started.events] };
}
