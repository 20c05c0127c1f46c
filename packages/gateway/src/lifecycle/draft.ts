import type { IntentRecord, StoredEvent } from '@durable-api/core';
import { FOREVER_AT, type Status, type WaitingReason } from '@durable-api/protocol';
import { compact, instant, type JsonObject } from '../http/json.ts';
import type { AxpIntent, IntentState, Outcome, PendingWith } from '../intents/intent-state.ts';
import { failureOf } from './failure-of.ts';

/** The event types of the protocol, and those that we add. */
export type AxpEventType =
  | 'created'
  | 'submitted'
  | 'delivered'
  | 'acknowledged'
  | 'in_progress'
  | 'waiting'
  | 'completed'
  | 'failed'
  | 'canceled'
  | 'timed_out'
  | 'timeout'
  | 'transfer'
  | 'reminder'
  | 'escalated'
  | 'delivery_failed'
  | 'human_task_assigned'
  | 'notification'
  | 'controls_updated'
  | 'policy_updated';

/** What an event says beside its type and status. */
export interface EventParts {
  readonly actor?: string;
  /** Whom the event concerns, when that is not who is waited for. */
  readonly handler?: string;
  readonly details?: JsonObject;
  readonly humanTask?: JsonObject;
}

/** What a change comes to. */
export interface IntentChange {
  readonly record: IntentRecord;
  readonly state: IntentState;
  readonly events: readonly StoredEvent[];
}

/** Largest part of an event that is a result or error, in bytes: clients read lines of 64 KiB. */
const MAX_INLINE_BYTES = 48 * 1024;

/** An intent under change: numbers the events and keeps record and state in step with them. */
export class Draft {
  readonly now: number;
  #record: IntentRecord;
  #state: IntentState;
  readonly #events: StoredEvent[] = [];

  constructor({ record, state }: Pick<AxpIntent, 'record' | 'state'>, now: number) {
    this.#record = record;
    this.#state = state;
    // An event never bears an earlier instant than the one before it, whatever clocks do.
    this.now = Math.max(now, record.updatedAt);
  }

  get status(): Status {
    return this.#record.status;
  }

  get record(): IntentRecord {
    return this.#record;
  }

  get state(): IntentState {
    return this.#state;
  }

  patch(changes: Partial<IntentState>): this {
    this.#state = { ...this.#state, ...changes };
    return this;
  }

  /** Which delivery it is at. */
  attempt(attempt: number): this {
    this.#record = { ...this.#record, attempt };
    return this;
  }

  /** Adds an event; the intent has `status` from then on. */
  event(type: AxpEventType, status: Status, parts: EventParts = {}): this {
    const reason = status === 'WAITING' ? this.#record.waitingReason : null;
    return this.#push(type, status, reason, parts);
  }

  wait(reason: WaitingReason, pendingWith: PendingWith | null, parts: EventParts = {}): this {
    return this.patch({ pendingWith }).#push('waiting', 'WAITING', reason, parts);
  }

  /** The last event. */
  end(
    status: 'COMPLETED' | 'FAILED' | 'CANCELED' | 'TIMED_OUT',
    outcome: Outcome,
    actor: string,
  ): this {
    const types = {
      COMPLETED: 'completed',
      FAILED: 'failed',
      CANCELED: 'canceled',
      TIMED_OUT: 'timed_out',
    } as const;
    this.patch({
      outcome,
      pendingWith: null,
      redeliverAt: null,
      wakeAt: null,
      remindAt: null,
      humanTask: status === 'COMPLETED' || status === 'FAILED' ? this.#state.humanTask : null,
    });
    if (status === 'FAILED')
      this.#record = { ...this.#record, error: failureOf(outcome.error ?? {}) };
    const details = compact({
      result: inline(outcome.result),
      error: inline(outcome.error),
      reason: outcome.reason,
    });
    return this.#push(types[status], status, null, { actor, details });
  }

  /** The change; null when nothing has happened. */
  done(): IntentChange | null {
    if (this.#events.length === 0) return null;
    const state = this.#state;
    const { dueAt } = this.#record;
    const due = dueAt === null ? null : dueAtOf(this.#record, state);
    return { record: { ...this.#record, holder: null, dueAt: due }, state, events: this.#events };
  }

  #push(
    type: AxpEventType,
    status: Status,
    reason: WaitingReason | null,
    { actor = 'gateway', handler, details = {}, humanTask }: EventParts,
  ): this {
    const seq = this.#record.seq + 1;
    const isEnd = ['COMPLETED', 'FAILED', 'CANCELED', 'TIMED_OUT'].includes(status);
    this.#record = {
      ...this.#record,
      seq,
      status,
      waitingReason: reason,
      updatedAt: this.now,
      dueAt: isEnd ? null : this.#record.dueAt,
    };
    const { pendingWith } = this.#state;
    const eventType = `intent.${type}`;
    const json = JSON.stringify(
      compact({
        intent_id: this.#record.id,
        seq,
        event_type: eventType,
        status,
        waiting_reason: reason,
        handler: handler ?? pendingWith?.ref,
        actor,
        at: instant(this.now),
        pending_with: pendingWith,
        details,
        human_task: humanTask,
      }),
    );
    this.#events.push({ seq, type: eventType, json });
    return this;
  }
}

/** When somebody must look at the intent next. */
export function dueAtOf(record: IntentRecord, state: IntentState): number {
  const { deadlineAt } = record;
  // Whoever looks at it next ends it.
  if (state.isOperationEnded) return record.updatedAt;
  const instants = [deadlineAt, state.redeliverAt, state.wakeAt, state.remindAt];
  return Math.min(FOREVER_AT, ...instants.filter((at) => at !== null));
}

/** An object as events carry it; of a larger one only that there is one. */
function inline(value: JsonObject | undefined): JsonObject | undefined {
  if (value === undefined) return undefined;
  const bytes = Buffer.byteLength(JSON.stringify(value));
  return bytes <= MAX_INLINE_BYTES ? value : { truncated: true, bytes };
}
