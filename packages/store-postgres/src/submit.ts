import {
  DurableError,
  type IntentRecord,
  type SubmitRequest,
  type SubmitResult,
} from '@durable-api/core';
import { bigintArray, booleanArray, intArray, textArray, uuidArray } from './binary-array.ts';
import { placed, toStatements, type Placed } from './batches.ts';
import type { Answer, Database, Row } from './database.ts';
import { isIntentId } from './intent-id.ts';
import { laneName } from './lane-name.ts';
import { decodeRecord, encodeState, number, text } from './record.ts';
import { FIND_EARLIER, SUBMIT, SUBMIT_EXCLUSIVE, SUBMIT_KEYED } from './sql/submit.ts';
import { encodeEvents } from './stored-events.ts';

/** One submit as the columns of its two rows. */
export interface SubmitRow {
  readonly id: string;
  readonly operation: string;
  readonly owner: string;
  readonly created_at: number;
  readonly deadline_at: number | null;
  readonly idempotency_key: string | null;
  readonly fingerprint: string | null;
  readonly seq: number;
  readonly events: string;
  readonly input: string;
  readonly due_at: number;
  readonly status: string;
  readonly updated_at: number;
  readonly cancel_requested: boolean;
  readonly lease: number;
  readonly holder: string | null;
  readonly lost_leases: number;
  readonly state: string;
  readonly lane: string | null;
  readonly live_key: string | null;
}

type Pending = Placed<SubmitRequest>;

/** Stores a batch: see `Store.submit`. */
export async function submit(
  database: Database,
  batch: readonly SubmitRequest[],
): Promise<SubmitResult[]> {
  const results = batch.map((): SubmitResult => ({ outcome: 'created' }));
  let left = placed(batch);
  while (left.length > 0) {
    const refused = await store(database, left);
    const earlier = await findEarlier(database, refused);
    for (const [i, { at }] of refused.entries()) {
      const record = earlier[i];
      if (record !== undefined) results[at] = { outcome: 'exists', record };
    }
    // What stood in the way was pruned meanwhile, or has ended: then there is room now.
    left = refused.filter((_, i) => earlier[i] === undefined);
  }
  return results;
}

/** The columns of a submit. @throws DurableError `intent_id_invalid` */
export function toSubmitRow({ record, events, input }: SubmitRequest): SubmitRow {
  if (!isIntentId(record.id) || record.dueAt === null) {
    const message = `An intent needs a UUID in lower case and an instant at which it is due.`;
    throw new DurableError('intent_id_invalid', message, { intentId: record.id });
  }
  const { idempotency, holder } = record;
  return {
    id: record.id,
    operation: record.operation,
    owner: record.owner,
    created_at: record.createdAt,
    deadline_at: record.deadlineAt,
    idempotency_key: idempotency?.key ?? null,
    fingerprint: idempotency?.fingerprint ?? null,
    seq: record.seq,
    events: encodeEvents(events),
    input,
    due_at: record.dueAt,
    status: record.status,
    updated_at: record.updatedAt,
    cancel_requested: record.cancelRequestedAt !== null,
    lease: record.lease,
    holder,
    lost_leases: record.lostLeases,
    state: encodeState(record),
    lane: laneName(record),
    live_key: record.liveKey ?? null,
  };
}

/** Stores what it can and returns the rest. */
async function store(database: Database, batch: readonly Pending[]): Promise<Pending[]> {
  const { firsts, repeats: refused } = withoutRepeats(batch);
  const exclusive = firsts.filter(({ item }) => liveKeyOf(item) !== null);
  const usual =
    exclusive.length === 0 ? firsts : firsts.filter(({ item }) => liveKeyOf(item) === null);
  for (const part of toStatements(usual, idOf, bytesOf)) {
    const submits = part.map(({ item }) => toSubmitRow(item));
    const lanes = submits.map(({ lane }) => lane);
    const answer = lanes.some((lane) => lane !== null)
      ? await database.runPrepared(SUBMIT_KEYED, [...toColumns(submits), textArray(lanes)])
      : await database.runPrepared(SUBMIT, toColumns(submits));
    refused.push(...(await refusedOf(database, part, answer)));
  }
  for (const part of toStatements(inLiveKeyOrder(exclusive), idOf, bytesOf)) {
    const rows = part.map(({ item }) => toSubmitRow(item));
    const lanes = textArray(rows.map(({ lane }) => lane));
    const liveKeys = textArray(rows.map((row) => row.live_key));
    const answer = await database.run(SUBMIT_EXCLUSIVE, [...toColumns(rows), lanes, liveKeys]);
    refused.push(...(await refusedOf(database, part, answer)));
  }
  return refused;
}

/** Those that a statement did not store. */
async function refusedOf(
  database: Database,
  part: readonly Pending[],
  { rows, isRepeated }: Answer,
): Promise<Pending[]> {
  const ids = new Set(rows.map((row) => text(row, 0)));
  const absent = part.filter(({ item }) => !ids.has(idOf(item)));
  // When the connection broke under the first try, that may have stored them.
  const found = isRepeated ? await findEarlier(database, absent) : [];
  return absent.filter(({ item }, i) => found[i]?.id !== idOf(item));
}

/**
 * The first request of each id and key, in an order that all processes agree on: two batches that
 * have keys in common then never wait for each other in a circle.
 */
function withoutRepeats(batch: readonly Pending[]): { firsts: Pending[]; repeats: Pending[] } {
  const repeats: Pending[] = [];
  const keyless: Pending[] = [];
  const keyed = new Map<string, Pending>();
  const ids = new Set<string>();
  const liveKeys = new Set<string>();
  for (const pending of batch) {
    const id = idOf(pending.item);
    const key = keyOf(pending.item);
    const liveKey = liveKeyOf(pending.item);
    const isRepeat =
      ids.has(id) ||
      (key !== null && keyed.has(key)) ||
      (liveKey !== null && liveKeys.has(liveKey));
    if (isRepeat) repeats.push(pending);
    else if (key === null) keyless.push(pending);
    else keyed.set(key, pending);
    ids.add(id);
    if (liveKey !== null) liveKeys.add(liveKey);
  }
  const ordered = [...keyed].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pending]) => pending);
  return { firsts: [...ordered, ...keyless], repeats };
}

/** The same for live keys, which are taken first. */
function inLiveKeyOrder(batch: readonly Pending[]): Pending[] {
  const keyed = batch.map((pending) => ({ pending, key: liveKeyOf(pending.item) ?? '' }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ pending }) => pending);
}

async function findEarlier(
  database: Database,
  batch: readonly Pending[],
): Promise<(IntentRecord | undefined)[]> {
  if (batch.length === 0) return [];
  const ids = uuidArray(batch.map(({ item }) => idOf(item)));
  const keys = textArray(batch.map(({ item }) => keyOf(item)));
  const liveKeys = textArray(batch.map(({ item }) => liveKeyOf(item)));
  const { rows } = await database.run(FIND_EARLIER, [ids, keys, liveKeys]);
  const found = new Map<number, Row>(rows.map((row) => [number(row, 0), row]));
  return batch.map((_, i) => {
    const row = found.get(i + 1);
    return row === undefined ? undefined : decodeRecord(row, 1);
  });
}

function toColumns(rows: readonly SubmitRow[]): Buffer[] {
  return [
    uuidArray(rows.map((row) => row.id)),
    textArray(rows.map((row) => row.operation)),
    textArray(rows.map((row) => row.owner)),
    bigintArray(rows.map((row) => row.created_at)),
    bigintArray(rows.map((row) => row.deadline_at)),
    textArray(rows.map((row) => row.idempotency_key)),
    textArray(rows.map((row) => row.fingerprint)),
    intArray(rows.map((row) => row.seq)),
    textArray(rows.map((row) => row.events)),
    textArray(rows.map((row) => row.input)),
    bigintArray(rows.map((row) => row.due_at)),
    textArray(rows.map((row) => row.status)),
    bigintArray(rows.map((row) => row.updated_at)),
    booleanArray(rows.map((row) => row.cancel_requested)),
    intArray(rows.map((row) => row.lease)),
    textArray(rows.map((row) => row.holder)),
    intArray(rows.map((row) => row.lost_leases)),
    textArray(rows.map((row) => row.state)),
  ];
}

function idOf(request: SubmitRequest): string {
  return request.record.id;
}

function keyOf(request: SubmitRequest): string | null {
  return request.record.idempotency?.key ?? null;
}

function liveKeyOf(request: SubmitRequest): string | null {
  return request.record.liveKey ?? null;
}

function bytesOf(request: SubmitRequest): number {
  return request.input.length + 1_024;
}
