import { randomBytes, randomUUID } from 'node:crypto';
import {
  createIntent,
  transition,
  type Claimed,
  type Command,
  type CommitRequest,
  type IntentRecord,
  type Store,
  type StoredEvent,
  type SubmitRequest,
} from '@durable-api/core';
import { encodeEvent, type IntentEvent } from '@durable-api/protocol';

/** What a test says of the intent that it wants; the rest is made up. */
export interface IntentWish {
  readonly id?: string;
  readonly key?: string;
  readonly input?: string;
  readonly operation?: string;
  readonly liveKey?: string;
}

/** A submit as the engine makes it. */
export function submitRequest(wish: IntentWish = {}): SubmitRequest {
  const id = wish.id ?? newId();
  const { record, events } = createIntent(
    {
      id,
      operation: wish.operation ?? 'report',
      owner: '',
      deadlineAt: null,
      ...(wish.liveKey !== undefined && { liveKey: wish.liveKey }),
      idempotency: wish.key === undefined ? null : { key: wish.key, fingerprint: 'fingerprint' },
    },
    Date.now(),
    null,
  );
  return { record, events: stored(id, events), input: wish.input ?? '{"body":{}}' };
}

/** A UUIDv7. */
export function newId(): string {
  const time = Date.now().toString(16).padStart(12, '0');
  const random = randomBytes(10).toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6, 18)}`;
}

/** The commit that `commands`, one after the other, make of a claimed record. */
function change(record: IntentRecord, ...commands: readonly Command[]): CommitRequest {
  let next = record;
  const events: IntentEvent[] = [];
  for (const command of commands) {
    const made = transition(next, command, Date.now());
    if (!made.ok) throw new Error(`The state machine refused ${command.type}: ${made.reason}`);
    next = made.record;
    events.push(...made.events);
  }
  const last = commands.at(-1);
  return {
    expected: { seq: record.seq, lease: record.holder === null ? null : record.lease },
    record: next,
    events: stored(record.id, events),
    ...(last?.type === 'complete' && { result: last.result }),
  };
}

/** The commit of an attempt that has begun and ended well. */
export function completion(record: IntentRecord): CommitRequest {
  const body = new TextEncoder().encode('{"ok":true}');
  const result = { status: 200, headers: {}, body };
  return change(record, { type: 'start' }, { type: 'complete', result });
}

/** Claims all that is due, as a holder of its own. */
export async function claimAll(
  store: Store,
  limit = 1_000,
  leaseMs = 60_000,
): Promise<readonly Claimed[]> {
  const request = { now: 0, holder: randomUUID(), leaseMs, operations: ['report'], limit };
  return (await store.claim(request)).claimed;
}

/** The seqs of the stored events of an intent. */
export async function seqsOf(store: Store, id: string): Promise<readonly number[]> {
  const [events] = await store.events({ of: [{ id, after: 0 }], limit: 10_000 });
  return (events ?? []).map(({ seq }) => seq);
}

function stored(id: string, events: readonly IntentEvent[]): StoredEvent[] {
  return events.map((event) => ({
    seq: event.seq,
    type: event.type,
    json: encodeEvent(id, event),
  }));
}
