import { isTerminal } from '@durable-api/protocol';
import type { CommitRequest, CommitResult } from '@durable-api/core';
import {
  bigintArray,
  booleanArray,
  byteaArray,
  intArray,
  textArray,
  uuidArray,
} from './binary-array.ts';
import { placed, toStatements, type Placed } from './batches.ts';
import type { Database } from './database.ts';
import { toStoredId } from './intent-id.ts';
import { get } from './read.ts';
import { encodeState, number, text } from './record.ts';
import { commitStatement, FIND_COMMITTED } from './sql/commit.ts';
import { encodeEvents } from './stored-events.ts';

/** Writes changes: see `Store.commit`. */
export async function commit(
  database: Database,
  batch: readonly CommitRequest[],
): Promise<CommitResult[]> {
  const results = batch.map((): CommitResult => ({ outcome: 'ok' }));
  for (const part of toStatements(placed(batch), idOf, bytesOf)) {
    const requests = part.map(({ item }) => item);
    const hasRest = requests.some(hasExtras);
    const hasKeys = requests.some(({ record }) => record.key !== undefined);
    const statement = commitStatement({ hasExtras: hasRest, hasKeys });
    const { rows, isRepeated } = hasRest
      ? await database.run(statement, [...toColumns(requests), ...toExtras(requests)])
      : await database.runPrepared(statement, toColumns(requests));
    const written = new Set(rows.map((row) => text(row, 0)));
    let refused = part.filter(({ item }) => !written.has(idOf(item)));
    if (isRepeated) refused = await withoutCommitted(database, refused);
    const whys = await whyRefused(database, refused);
    for (const [i, { at }] of refused.entries()) results[at] = whys[i] ?? { outcome: 'missing' };
  }
  return results;
}

/** Reads again, since the statement that refused may have seen less than what it waited for. */
async function whyRefused(
  database: Database,
  refused: readonly Placed<CommitRequest>[],
): Promise<CommitResult[]> {
  if (refused.length === 0) return [];
  const found = await get(database, { ids: refused.map(({ item }) => idOf(item)) });
  return refused.map(({ item: { expected } }, i): CommitResult => {
    const record = found[i]?.record;
    if (record === undefined) return { outcome: 'missing' };
    const isStale =
      expected.lease !== null && (record.lease !== expected.lease || record.holder === null);
    return isStale ? { outcome: 'stale' } : { outcome: 'moved', record };
  });
}

/** Drops the changes that the first try of a repeated statement has written. */
async function withoutCommitted(
  database: Database,
  refused: readonly Placed<CommitRequest>[],
): Promise<Placed<CommitRequest>[]> {
  if (refused.length === 0) return [];
  const { rows } = await database.run(FIND_COMMITTED, [
    uuidArray(refused.map(({ item }) => toStoredId(idOf(item)))),
    intArray(refused.map(({ item }) => item.record.seq)),
  ]);
  const events = new Map(rows.map((row) => [number(row, 0), text(row, 1)]));
  return refused.filter(({ item }, i) => events.get(i + 1) !== encodeEvents(item.events));
}

function toColumns(requests: readonly CommitRequest[]): Buffer[] {
  const records = requests.map((request) => request.record);
  const results = requests.map((request) => request.result);
  return [
    uuidArray(records.map((record) => toStoredId(record.id))),
    intArray(requests.map((request) => request.expected.seq)),
    intArray(requests.map((request) => request.expected.lease)),
    intArray(records.map((record) => record.seq)),
    textArray(records.map((record) => record.status)),
    bigintArray(records.map((record) => record.updatedAt)),
    booleanArray(records.map((record) => record.cancelRequestedAt !== null)),
    booleanArray(records.map((record) => record.holder === null)),
    bigintArray(records.map((record) => (isTerminal(record.status) ? null : record.dueAt))),
    bigintArray(records.map((record) => (record.idempotency === null ? null : record.createdAt))),
    textArray(records.map(encodeState)),
    textArray(requests.map((request) => encodeEvents(request.events))),
    intArray(results.map((result) => result?.status ?? null)),
    textArray(
      results.map((result) => (result === undefined ? null : JSON.stringify(result.headers))),
    ),
    byteaArray(results.map((result) => result?.body ?? null)),
  ];
}

/** Whether a change has what is rare. The end of an intent frees its live key by itself. */
function hasExtras({ notes, input, freesLiveKey, record }: CommitRequest): boolean {
  if (notes !== undefined || input !== undefined) return true;
  return freesLiveKey !== undefined && !isTerminal(record.status);
}

function toExtras(requests: readonly CommitRequest[]): Buffer[] {
  const notes = requests.flatMap((request) =>
    (request.notes ?? []).map((note) => ({ ...note, id: idOf(request) })),
  );
  return [
    textArray(requests.map((request) => request.input ?? null)),
    booleanArray(requests.map((request) => request.freesLiveKey !== undefined)),
    uuidArray(notes.map(({ id }) => toStoredId(id))),
    textArray(notes.map(({ key }) => key)),
    textArray(notes.map(({ value }) => value)),
  ];
}

function idOf(request: CommitRequest): string {
  return request.record.id;
}

function bytesOf(request: CommitRequest): number {
  return (
    request.events.reduce((sum, event) => sum + event.json.length, 1_024) +
    (request.input?.length ?? 0) +
    (request.notes ?? []).reduce((sum, note) => sum + note.value.length, 0) +
    (request.result?.body.byteLength ?? 0)
  );
}
