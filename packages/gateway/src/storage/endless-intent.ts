import {
  createIntent,
  type Found,
  type IntentRecord,
  type Ledger,
  type Note,
} from '@durable-api/core';
import { FOREVER_AT } from '@durable-api/protocol';
import { isObject, type JsonObject } from '../http/json.ts';

/** Where a gateway's own data is: intents that nobody works on and that never are due. */
export interface EndlessIntent {
  readonly id: string;
  readonly operation: string;
  /** What it is made with. */
  readonly content: JsonObject;
  /** By whom it is listed. Default: nobody. */
  readonly owner?: string;
  /** When somebody looks at it, in ms since the epoch. Default: never. */
  readonly dueAt?: number;
}

/** Stores an endless intent, or finds the one that is there; resolves to its record. */
export async function beginEndless(ledger: Ledger, intent: EndlessIntent): Promise<IntentRecord> {
  return (await findOrBegin(ledger, intent)).record;
}

/** The same; `isNew` tells whether it was there. */
export async function findOrBegin(
  ledger: Ledger,
  intent: EndlessIntent,
): Promise<{ readonly record: IntentRecord; readonly isNew: boolean }> {
  const { id, operation, content, owner = '', dueAt = FOREVER_AT } = intent;
  const now = ledger.now();
  const { record: due, events } = createIntent(
    { id, operation, owner, deadlineAt: null, idempotency: null },
    now,
    null,
  );
  const record: IntentRecord = { ...due, dueAt };
  const stored = events.map(({ seq, type, status }) => ({
    seq,
    type,
    json: entryJson(record.id, { seq, type, status, at: now }),
  }));
  const input = JSON.stringify({ body: content, rest: {} });
  const outcome = await ledger.submit({ record, events: stored, input });
  const isNew = outcome.outcome !== 'exists';
  return { record: isNew ? record : outcome.record, isNew };
}

/** What an endless intent was made with. */
export function endlessContent(found: Found): JsonObject {
  const input: unknown = JSON.parse(found.input ?? '{}');
  return isObject(input) && isObject(input['body']) ? input['body'] : {};
}

/** What is added to an endless intent. */
export interface Addition {
  /** One event for each. */
  readonly entries: readonly JsonObject[];
  readonly notes?: readonly Note[];
  /** Whether it is the last. */
  readonly isEnd?: boolean;
  /** What of the record is to be otherwise. */
  readonly record?: Partial<Pick<IntentRecord, 'dueAt' | 'attempt'>>;
}

/**
 * Adds to an endless intent as it is in `record`.
 * Resolves to the record after it, or to that which somebody else has left, as `moved`.
 */
export async function addTo(
  ledger: Ledger,
  record: IntentRecord,
  { entries, notes, isEnd = false, record: patch }: Addition,
): Promise<{ readonly record: IntentRecord; readonly isWritten: boolean } | null> {
  const at = Math.max(ledger.now(), record.updatedAt);
  const events = entries.map((details, i) => {
    const seq = record.seq + 1 + i;
    const isLast = isEnd && i === entries.length - 1;
    const type = isLast ? 'intent.completed' : 'intent.signal';
    const status = isLast ? 'COMPLETED' : record.status;
    return { seq, type, json: entryJson(record.id, { seq, type, status, at, details }) };
  });
  const next: IntentRecord = {
    ...record,
    seq: record.seq + entries.length,
    status: isEnd ? 'COMPLETED' : record.status,
    updatedAt: at,
    holder: null,
    dueAt: isEnd ? null : FOREVER_AT,
    ...patch,
  };
  const outcome = await ledger.commit({
    expected: { seq: record.seq, lease: null },
    record: next,
    events,
    ...(notes !== undefined && { notes }),
  });
  if (outcome.outcome === 'ok') return { record: next, isWritten: true };
  return outcome.outcome === 'moved' ? { record: outcome.record, isWritten: false } : null;
}

/** An entry as it was added; null for what is none. */
export function entryOf(
  json: string,
): { readonly at: number; readonly details: JsonObject } | null {
  const event: unknown = JSON.parse(json);
  if (!isObject(event) || !isObject(event['details'])) return null;
  return { at: Date.parse(String(event['at'])), details: event['details'] };
}

interface EntryEvent {
  readonly seq: number;
  readonly type: string;
  readonly status: string;
  readonly at: number;
  readonly details?: JsonObject;
}

function entryJson(intentId: string, { seq, type, status, at, details }: EntryEvent): string {
  return JSON.stringify({
    intent_id: intentId,
    seq,
    event_type: type,
    status,
    at: new Date(at).toISOString(),
    ...(details !== undefined && { details }),
  });
}
