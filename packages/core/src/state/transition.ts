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
import { isFreedByStart } from './live-key.ts';
import { isParked } from './parked.ts';

/** The new record and the events that lead to it, or why there is none. */
export type Transition =
  | { readonly ok: true; readonly record: IntentRecord; readonly events: readonly IntentEvent[] }
  | { readonly ok: false; readonly reason: 'terminal' | 'illegal' };

const LEASE_LOST: Failure = {
  code: 'lease_lost',
  message: 'The process that ran the attempt went away or stopped answering.',
  retryable: true,
};

/**
 * The state machine: what `command`, given at `now`, makes of `record`. Pure; every change of an
 * intent after its submit is computed here and nowhere else. `deliveryId` is the intent that tells somebody
 * of the end, if this is one.
 */
export function transition(
  record: IntentRecord,
  command: Command,
  now: number,
  deliveryId: string | null = null,
): Transition {
  if (isTerminal(record.status)) return { ok: false, reason: 'terminal' };
  // Only a submit leads out of CREATED, in the write that stores the intent.
  if (record.status === 'CREATED') return { ok: false, reason: 'illegal' };
  const draft = new Draft(record, now, deliveryId);
  switch (command.type) {
    case 'start':
      return start(draft, command.attempt);
    case 'postpone':
      return postpone(draft, command.startAt);
    case 'park':
      return park(draft, command);
    case 'progress':
      if (record.status !== 'IN_PROGRESS') return { ok: false, reason: 'illegal' };
      draft.patch({ progress: command.progress });
      return draft.event('intent.progress', 'IN_PROGRESS', { ...command.progress }).done();
    case 'remember':
      if (record.status !== 'IN_PROGRESS') return { ok: false, reason: 'illegal' };
      return draft.event(command.event, 'IN_PROGRESS', command.details).done();
    case 'output':
      if (record.status !== 'IN_PROGRESS') return { ok: false, reason: 'illegal' };
      return draft.event('intent.output', 'IN_PROGRESS', command.details).done();
    case 'signal':
      draft.actor = command.actor;
      draft.wakeAt(command.wakes ? draft.now : null);
      return draft.event('intent.signal', record.status, command.details).done();
    case 'remind':
      if (record.status !== 'WAITING' || command.seq !== record.seq)
        return { ok: false, reason: 'illegal' };
      if (isParked(record)) draft.patch({ error: null });
      for (const { type, details } of command.events) draft.event(type, 'WAITING', details);
      return draft.giveUpLease(command.resumeAt).done();
    case 'childrenEnded':
      if (command.seq !== record.seq) return { ok: false, reason: 'illegal' };
      for (const { id, operation, status } of command.ends) {
        const details = { intent_id: id, operation, status };
        draft.event('intent.child_ended', record.status, details);
      }
      if (command.isDriven === true) return draft.giveUpLease(draft.now).done();
      return draft.wakeAt(command.wakeAt).done();
    case 'suspend':
      if (record.status !== 'IN_PROGRESS') return { ok: false, reason: 'illegal' };
      if (record.cancelRequestedAt !== null) return canceledInstead(draft, command);
      if (command.seq !== null && command.seq !== record.seq)
        return { ok: false, reason: 'illegal' };
      return draft.wait(command.reason, command.resumeAt, command.details).done();
    case 'complete':
      if (record.status !== 'IN_PROGRESS') return { ok: false, reason: 'illegal' };
      if (record.cancelRequestedAt !== null) return canceledInstead(draft, command);
      return draft.end('intent.completed', 'COMPLETED', inlineResult(command.result)).done();
    case 'fail':
      if (record.status !== 'IN_PROGRESS') return { ok: false, reason: 'illegal' };
      if (record.cancelRequestedAt !== null) {
        draft.patch({ failures: record.failures + 1, error: command.failure });
        return canceledInstead(draft, command);
      }
      if (command.resetsOutput === true)
        draft.event('intent.output', 'IN_PROGRESS', { reset: true });
      return fail(draft, command.failure, command.retryAfterMs);
    case 'giveUp':
      if (record.cancelRequestedAt !== null) return cancel(draft);
      draft.patch({ error: command.failure });
      return draft.end('intent.failed', 'FAILED', { error: command.failure }).done();
    case 'timeOut':
      return draft.end('intent.timed_out', 'TIMED_OUT', { reason: 'deadline' }).done();
    case 'requestCancel':
      return requestCancel(draft, command);
    case 'cancel':
      return cancel(draft, command.reason === undefined ? undefined : { reason: command.reason });
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
  if (isFreedByStart(record)) draft.freeLiveKey();
  if (record.status === 'SUBMITTED' || record.status === 'WAITING') {
    draft.event('intent.delivered', 'DELIVERED');
  }
  return draft.event('intent.in_progress', 'IN_PROGRESS').done();
}

function postpone(draft: Draft, startAt: number): Transition {
  const { record } = draft;
  const isPending = record.status === 'WAITING' && record.attempt === 0 && isFreedByStart(record);
  if (!isPending) return { ok: false, reason: 'illegal' };
  // Whoever has claimed it but not yet begun begins no more.
  const details = { resume_at: new Date(startAt).toISOString(), input_replaced: true };
  draft.patch({ error: null });
  return draft.wait('WAITING_FOR_TIME', startAt, details).done();
}

function park(
  draft: Draft,
  { seq, lease, failure, resetsOutput }: Extract<Command, { type: 'park' }>,
): Transition {
  const { record } = draft;
  const { dueAt, status, waitingReason, operation, version } = record;
  const isAsFound = seq === record.seq && lease === record.lease;
  if (!isAsFound || dueAt === null || isParked(record)) return { ok: false, reason: 'illegal' };
  if (status === 'IN_PROGRESS') {
    if (resetsOutput === true) draft.event('intent.output', status, { reset: true });
    draft.event('intent.delivery_failed', status, { error: LEASE_LOST });
  }
  draft.patch({ error: failure });
  // Whoever waits for somebody in particular goes on doing so.
  const isOpen = waitingReason === null || waitingReason === 'WAITING_FOR_TIME';
  const named = { operation, ...(version !== undefined && { version }) };
  const details = { parked: true, reason: failure.code, ...named };
  return draft.wait(isOpen ? 'WAITING_FOR_TOOL' : waitingReason, dueAt, details).done();
}

function fail(draft: Draft, failure: Failure, retryAfterMs: number | null): Transition {
  const { record } = draft;
  draft.patch({ failures: record.failures + 1, error: failure });
  if (retryAfterMs === null) return draft.end('intent.failed', 'FAILED', { error: failure }).done();
  // From the instant that the failure bears, so that what is seen of it agrees with itself.
  const retryAt = draft.now + retryAfterMs;
  const resume = new Date(retryAt).toISOString();
  draft.event('intent.delivery_failed', record.status, { error: failure, retry_at: resume });
  return draft.wait('WAITING_FOR_TIME', retryAt, { resume_at: resume }).done();
}

function requestCancel(
  draft: Draft,
  { actor, reason, seq, windDownMs }: Extract<Command, { type: 'requestCancel' }>,
): Transition {
  const { record } = draft;
  const details = reason === undefined ? undefined : { reason };
  draft.actor = actor;
  const isIdle = record.holder === null;
  if (isIdle && windDownMs === undefined) {
    const isKnown = seq === undefined || seq === record.seq;
    return isKnown ? cancel(draft, details) : { ok: false, reason: 'illegal' };
  }
  if (record.cancelRequestedAt !== null) return { ok: false, reason: 'illegal' };
  draft.patch({ cancelRequestedAt: draft.now });
  if (isIdle) draft.giveUpLease(draft.now + (windDownMs ?? 0));
  return draft.event('intent.cancel_requested', record.status, details).done();
}

/** What a cancel that was requested makes of any other end. */
function canceledInstead(draft: Draft, { hasChildren }: { hasChildren?: boolean }): Transition {
  return hasChildren === true ? { ok: false, reason: 'illegal' } : cancel(draft);
}

function cancel(draft: Draft, details?: Record<string, unknown>): Transition {
  return draft.end('intent.canceled', 'CANCELED', details).done();
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type Changes = Partial<Omit<IntentRecord, 'id' | 'seq'>>;

/** A record under change: numbers the events and keeps `seq`, `status` and `updatedAt` in step. */
class Draft {
  readonly now: number;
  actor: string | undefined;
  readonly #deliveryId: string | null;
  readonly #record: Mutable<IntentRecord>;
  readonly #events: IntentEvent[] = [];

  constructor(record: IntentRecord, now: number, deliveryId: string | null) {
    this.#deliveryId = deliveryId;
    // Copied once, however many events follow: this is on the way of every write.
    this.#record = { ...record };
    // An event never bears an earlier instant than the one before it, whatever clocks do.
    this.now = Math.max(now, record.updatedAt);
  }

  get record(): IntentRecord {
    return this.#record;
  }

  patch(changes: Changes): this {
    Object.assign(this.#record, changes);
    return this;
  }

  freeLiveKey(): void {
    delete this.#record.liveKey;
  }

  event(type: EventType, status: Status, details?: Readonly<Record<string, unknown>>): this {
    const reason = status === 'WAITING' ? this.#record.waitingReason : null;
    return this.#push(type, status, reason, details);
  }

  /** Has the intent looked at by then, if nobody works on it and it waits. */
  wakeAt(at: number | null): this {
    const { status, holder, dueAt } = this.#record;
    if (at !== null && status === 'WAITING' && holder === null)
      this.#record.dueAt = Math.max(this.now, Math.min(at, dueAt ?? at));
    return this;
  }

  giveUpLease(dueAt: number): this {
    this.#record.holder = null;
    this.#record.dueAt = earliest(dueAt, this.#record.deadlineAt);
    return this;
  }

  wait(reason: WaitingReason, dueAt: number, details: Readonly<Record<string, unknown>>): this {
    return this.giveUpLease(dueAt).#push('intent.waiting', 'WAITING', reason, details);
  }

  end(type: EventType, status: Status, details?: Readonly<Record<string, unknown>>): this {
    this.#record.holder = null;
    this.#record.dueAt = null;
    const delivery = this.#deliveryId === null ? null : { webhook_intent_id: this.#deliveryId };
    return this.#push(
      type,
      status,
      null,
      delivery === null ? details : { ...details, ...delivery },
    );
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
    const record = this.#record;
    record.seq += 1;
    record.status = status;
    record.waitingReason = reason;
    record.updatedAt = this.now;
    const event: Mutable<IntentEvent> = { seq: record.seq, type, status, at: this.now };
    if (record.attempt > 0) event.attempt = record.attempt;
    if (this.actor !== undefined) event.actor = this.actor;
    if (reason !== null) event.waitingReason = reason;
    if (details !== undefined) event.details = details;
    this.#events.push(event);
    return this;
  }
}

function earliest(dueAt: number, deadlineAt: number | null): number {
  return deadlineAt === null ? dueAt : Math.min(dueAt, deadlineAt);
}
