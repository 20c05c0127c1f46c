import {
  isTerminal,
  type EventType,
  type Failure,
  type IntentEvent,
  type Status,
  type WaitingReason,
} from '@durable-api/protocol';
import type { Command } from './command.ts';
import type { IntentRecord } from './intent.ts';
import { inlineResult } from './inline-result.ts';

/** The new record and the events that lead to it, or why there is none. */
export type Transition =
  | { readonly ok: true; readonly record: IntentRecord; readonly events: readonly IntentEvent[] }
  | { readonly ok: false; readonly reason: 'terminal' | 'illegal' };

/** Which statuses follow which (design §2). A status may always stay as it is until it is terminal. */
export const NEXT_STATUSES: Readonly<Record<Status, readonly Status[]>> = {
  CREATED: ['SUBMITTED'],
  SUBMITTED: ['DELIVERED', 'IN_PROGRESS', 'WAITING', 'FAILED', 'CANCELED', 'TIMED_OUT'],
  DELIVERED: [
    'ACKNOWLEDGED',
    'IN_PROGRESS',
    'WAITING',
    'COMPLETED',
    'FAILED',
    'CANCELED',
    'TIMED_OUT',
  ],
  ACKNOWLEDGED: ['IN_PROGRESS', 'WAITING', 'COMPLETED', 'FAILED', 'CANCELED', 'TIMED_OUT'],
  IN_PROGRESS: ['WAITING', 'COMPLETED', 'FAILED', 'CANCELED', 'TIMED_OUT'],
  WAITING: ['DELIVERED', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'CANCELED', 'TIMED_OUT'],
  COMPLETED: [],
  FAILED: [],
  CANCELED: [],
  TIMED_OUT: [],
};

const LEASE_LOST: Failure = {
  code: 'lease_lost',
  message: 'The process that ran the attempt went away or stopped answering.',
  retryable: true,
};

/**
 * The state machine: what `command`, given at `now`, makes of `record`. Pure; every change of an
 * intent after its submit is computed here and nowhere else.
 */
export function transition(record: IntentRecord, command: Command, now: number): Transition {
  if (isTerminal(record.status)) return { ok: false, reason: 'terminal' };
  // Only a submit leads out of CREATED, in the write that stores the intent.
  if (record.status === 'CREATED') return { ok: false, reason: 'illegal' };
  const draft = new Draft(record, now);
  switch (command.type) {
    case 'start':
      return start(draft, command.attempt);
    case 'progress':
      if (record.status !== 'IN_PROGRESS') return { ok: false, reason: 'illegal' };
      draft.patch({ progress: command.progress });
      return draft.event('intent.progress', 'IN_PROGRESS', { ...command.progress }).done();
    case 'complete':
      if (record.status !== 'IN_PROGRESS') return { ok: false, reason: 'illegal' };
      if (record.cancelRequestedAt !== null) return cancel(draft);
      return draft.end('intent.completed', 'COMPLETED', inlineResult(command.result)).done();
    case 'fail':
      if (record.status !== 'IN_PROGRESS') return { ok: false, reason: 'illegal' };
      return fail(draft, command.failure, command.retryAt);
    case 'giveUp':
      if (record.cancelRequestedAt !== null) return cancel(draft);
      draft.patch({ error: command.failure });
      return draft.end('intent.failed', 'FAILED', { error: command.failure }).done();
    case 'timeOut':
      return draft.end('intent.timed_out', 'TIMED_OUT', { reason: 'deadline' }).done();
    case 'requestCancel':
      return requestCancel(draft, command.actor, command.reason);
    case 'cancel':
      return cancel(draft);
  }
}

function start(draft: Draft, attempt: number | undefined): Transition {
  const { record } = draft;
  if (record.holder === null) return { ok: false, reason: 'illegal' };
  if (attempt !== undefined && attempt <= record.attempt) return { ok: false, reason: 'illegal' };
  if (record.status === 'IN_PROGRESS') {
    draft.event('intent.delivery_failed', 'IN_PROGRESS', { error: LEASE_LOST });
  }
  draft.patch({ attempt: record.attempt + 1, error: null });
  if (record.status === 'SUBMITTED' || record.status === 'WAITING') {
    draft.event('intent.delivered', 'DELIVERED');
  }
  return draft.event('intent.in_progress', 'IN_PROGRESS').done();
}

function fail(draft: Draft, failure: Failure, retryAt: number | null): Transition {
  const { record } = draft;
  draft.patch({ failures: record.failures + 1, error: failure });
  if (record.cancelRequestedAt !== null) return cancel(draft);
  if (retryAt === null) return draft.end('intent.failed', 'FAILED', { error: failure }).done();
  const resume = new Date(retryAt).toISOString();
  draft.event('intent.delivery_failed', record.status, { error: failure, retry_at: resume });
  return draft.wait('WAITING_FOR_TIME', retryAt, { resume_at: resume }).done();
}

function requestCancel(draft: Draft, actor?: string, reason?: string): Transition {
  const { record } = draft;
  const details = reason === undefined ? undefined : { reason };
  draft.actor = actor;
  if (record.holder === null) return cancel(draft, details);
  if (record.cancelRequestedAt !== null) return { ok: false, reason: 'illegal' };
  draft.patch({ cancelRequestedAt: draft.now });
  return draft.event('intent.cancel_requested', record.status, details).done();
}

function cancel(draft: Draft, details?: Record<string, unknown>): Transition {
  return draft.end('intent.canceled', 'CANCELED', details).done();
}

type Changes = Partial<Omit<IntentRecord, 'id' | 'seq'>>;

/** A record under change: numbers the events and keeps `seq`, `status` and `updatedAt` in step. */
class Draft {
  readonly now: number;
  actor: string | undefined;
  #record: IntentRecord;
  readonly #events: IntentEvent[] = [];

  constructor(record: IntentRecord, now: number) {
    this.#record = record;
    // An event never bears an earlier instant than the one before it, whatever clocks do.
    this.now = Math.max(now, record.updatedAt);
  }

  get record(): IntentRecord {
    return this.#record;
  }

  patch(changes: Changes): this {
    this.#record = { ...this.#record, ...changes };
    return this;
  }

  event(type: EventType, status: Status, details?: Readonly<Record<string, unknown>>): this {
    const reason = status === 'WAITING' ? this.#record.waitingReason : null;
    return this.#push(type, status, reason, details);
  }

  wait(reason: WaitingReason, dueAt: number, details: Readonly<Record<string, unknown>>): this {
    this.patch({ holder: null, dueAt: earliest(dueAt, this.#record.deadlineAt) });
    return this.#push('intent.waiting', 'WAITING', reason, details);
  }

  end(type: EventType, status: Status, details?: Readonly<Record<string, unknown>>): this {
    this.patch({ holder: null, dueAt: null });
    return this.#push(type, status, null, details);
  }

  done(): Transition {
    return { ok: true, record: this.#record, events: this.#events };
  }

  #push(
    type: EventType,
    status: Status,
    reason: WaitingReason | null,
    details?: Readonly<Record<string, unknown>>,
  ): this {
    const seq = this.#record.seq + 1;
    this.patch({ status, waitingReason: reason, updatedAt: this.now });
    this.#record = { ...this.#record, seq };
    this.#events.push({
      seq,
      type,
      status,
      at: this.now,
      ...(this.#record.attempt > 0 && { attempt: this.#record.attempt }),
      ...(this.actor !== undefined && { actor: this.actor }),
      ...(reason !== null && { waitingReason: reason }),
      ...(details !== undefined && { details }),
    });
    return this;
  }
}

function earliest(dueAt: number, deadlineAt: number | null): number {
  return deadlineAt === null ? dueAt : Math.min(dueAt, deadlineAt);
}
