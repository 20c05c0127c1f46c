import {
  createIntent,
  transition,
  type Command,
  type CommitRequest,
  type IntentRecord,
  type Store,
  type StoredEvent,
  type SubmitRequest,
} from '@durable-api/core';
import { encodeEvent, type IntentEvent } from '@durable-api/protocol';
import { randomUUID } from 'node:crypto';

/** What a test says of an intent; the rest is made up. */
export interface Wish {
  readonly id?: string;
  readonly operation?: string;
  readonly owner?: string;
  readonly key?: string;
  readonly now?: number;
  readonly input?: string;
  readonly eager?: { readonly holder: string; readonly until: number };
}

/** An id as the engine makes it. */
export function newId(): string {
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

/** A submit as the engine makes it. */
export function submitRequest(wish: Wish = {}): SubmitRequest {
  const { id = newId(), operation = 'report', owner = '', key, input = '{"body":1}' } = wish;
  const { record, events } = createIntent(
    {
      id,
      operation,
      owner,
      deadlineAt: null,
      idempotency: key === undefined ? null : { key, fingerprint: 'same' },
    },
    wish.now ?? Date.now(),
    wish.eager ?? null,
  );
  return { record, events: toStored(id, events), input };
}

/** The commit that commands make of a record; by its holder, unless `lease` is null. */
export function commitRequest(
  record: IntentRecord,
  commands: readonly Command[],
  lease: number | null = record.holder === null ? null : record.lease,
): CommitRequest {
  let next = record;
  const events: IntentEvent[] = [];
  let result: CommitRequest['result'];
  for (const command of commands) {
    const made = transition(next, command, Date.now());
    if (!made.ok) throw new Error(`The state machine refused ${command.type}: ${made.reason}`);
    events.push(...made.events);
    next = made.record;
    if (command.type === 'complete') result = command.result;
  }
  return {
    expected: { seq: record.seq, lease },
    record: next,
    events: toStored(record.id, events),
    ...(result !== undefined && { result }),
  };
}

/** The commands of an attempt that completes. */
export function completes(attempt: number): readonly Command[] {
  const body = new TextEncoder().encode('{"done":true}');
  const headers = { 'content-type': 'application/json' };
  return [
    { type: 'start', attempt },
    { type: 'complete', result: { status: 200, headers, body } },
  ];
}

/** Submits one intent and claims it. */
export async function claimOne(store: Store, wish: Wish = {}): Promise<IntentRecord> {
  const request = submitRequest(wish);
  await store.submit([request]);
  const { claimed } = await store.claim(claimRequest());
  const found = claimed.find(({ record }) => record.id === request.record.id);
  if (found === undefined) throw new Error('The intent was not claimed.');
  return found.record;
}

/** A claim of everything that is due. */
export function claimRequest(
  wish: Partial<Parameters<Store['claim']>[0]> = {},
): Parameters<Store['claim']>[0] {
  const usual = { now: 0, holder: 'holder', leaseMs: 600_000, operations: ['report'], limit: 100 };
  return { ...usual, ...wish };
}

/** All events of an intent. */
export async function logOf(store: Store, id: string): Promise<readonly StoredEvent[]> {
  const [events] = await store.events({ of: [{ id, after: 0 }], limit: 100_000 });
  return events ?? [];
}

/** The record of an intent. */
export async function recordOf(store: Store, id: string): Promise<IntentRecord> {
  const [found] = await store.get({ ids: [id] });
  if (found === undefined) throw new Error(`There is no intent ${id}.`);
  return found.record;
}

function toStored(id: string, events: readonly IntentEvent[]): StoredEvent[] {
  return events.map((event) => ({
    seq: event.seq,
    type: event.type,
    json: encodeEvent(id, event),
  }));
}
