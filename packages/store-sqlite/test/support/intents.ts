import { randomUUID } from 'node:crypto';
import {
  createIntent,
  transition,
  type Command,
  type CommitRequest,
  type IntentRecord,
  type StoredEvent,
  type SubmitRequest,
} from '@durable-api/core';
import { encodeEvent, type IntentEvent } from '@durable-api/protocol';

/** What a test wants of an intent. */
export interface IntentWish {
  readonly operation?: string;
  readonly input?: string;
  readonly eager?: { readonly holder: string; readonly until: number };
}

/** A submit as the engine makes it. */
export function submitRequest(wish: IntentWish = {}): SubmitRequest {
  const id = randomUUID();
  const { operation = 'report', input = '{"body":{}}', eager = null } = wish;
  const intent = { id, operation, owner: '', deadlineAt: null, idempotency: null };
  const { record, events } = createIntent(intent, Date.now(), eager);
  return { record, events: stored(id, events), input };
}

/** The commit that a command makes of a record. */
export function commitRequest(record: IntentRecord, command: Command): CommitRequest {
  const next = transition(record, command, Date.now());
  if (!next.ok) throw new Error(`The state machine refused ${command.type}: ${next.reason}`);
  return {
    expected: { seq: record.seq, lease: record.holder === null ? null : record.lease },
    record: next.record,
    events: stored(record.id, next.events),
    ...(command.type === 'complete' && { result: command.result }),
  };
}

/** A claim of everything that is due of the usual operation. */
export function claimRequest(
  holder: string,
  leaseMs = 600_000,
): { now: number; holder: string; leaseMs: number; operations: string[]; limit: number } {
  return { now: Date.now(), holder, leaseMs, operations: ['report'], limit: 100 };
}

function stored(id: string, events: readonly IntentEvent[]): StoredEvent[] {
  return events.map((event) => ({
    seq: event.seq,
    type: event.type,
    json: encodeEvent(id, event),
  }));
}
