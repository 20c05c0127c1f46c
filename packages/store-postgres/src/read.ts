import { STATUSES, type Status } from '@durable-api/protocol';
import type {
  EventsRequest,
  Found,
  GetRequest,
  IntentRecord,
  ListRequest,
  Note,
  StoredEvent,
  StoredResponse,
  StoreStats,
} from '@durable-api/core';
import { intArray, textArray, uuidArray } from './binary-array.ts';
import type { Database, Row } from './database.ts';
import { toStoredId } from './intent-id.ts';
import { decodeRecord, number, RECORD_WIDTH, text } from './record.ts';
import {
  EVENTS,
  GET,
  GET_WITH_INPUT,
  GET_WITH_NOTES,
  GET_WITH_RESULT,
  LIST,
  STATS,
} from './sql/read.ts';
import { LIST_DUE } from './sql/list-due.ts';
import { decodeEvents } from './stored-events.ts';

const GET_WITH = {
  input: GET_WITH_INPUT,
  notes: GET_WITH_NOTES,
  result: GET_WITH_RESULT,
} as const;

/** The largest seq that a column holds; clients may name any. */
const MAX_SEQ = 2 ** 31 - 1;

/** Reads intents: see `Store.get`. */
export async function get(
  database: Database,
  { ids, include }: GetRequest,
): Promise<(Found | undefined)[]> {
  const { rows } = await database.runPrepared(include === undefined ? GET : GET_WITH[include], [
    uuidArray(ids.map(toStoredId)),
  ]);
  const found = new Map(rows.map((row) => [number(row, 0), row]));
  return ids.map((_, i): Found | undefined => {
    const row = found.get(i + 1);
    if (row === undefined) return undefined;
    const record = decodeRecord(row, 1);
    if (include === 'input') return { record, input: text(row, 1 + RECORD_WIDTH) };
    if (include === 'notes') return { record, notes: decodeNotes(row[1 + RECORD_WIDTH]) };
    const result = include === 'result' ? decodeResult(row, 1 + RECORD_WIDTH) : undefined;
    return result === undefined ? { record } : { record, result };
  });
}

/** Reads events: see `Store.events`. */
export async function events(
  database: Database,
  { of, limit }: EventsRequest,
): Promise<StoredEvent[][]> {
  const { rows } = await database.runPrepared(EVENTS, [
    uuidArray(of.map(({ id }) => toStoredId(id))),
    intArray(of.map(({ after }) => Math.min(after, MAX_SEQ))),
    limit,
  ]);
  const found = of.map((): StoredEvent[] => []);
  for (const row of rows) {
    const n = number(row, 0) - 1;
    const page = found[n];
    const after = of[n]?.after;
    if (page === undefined || after === undefined || page.length >= limit) continue;
    const stored = decodeEvents(text(row, 2), number(row, 1));
    page.push(...stored.filter((event) => event.seq > after));
  }
  return found;
}

/** Lists intents: see `Store.list`. */
export async function list(database: Database, request: ListRequest): Promise<IntentRecord[]> {
  const { owner, operation, statuses, before, due, limit } = request;
  if (due !== undefined) return listDue(database, due, limit);
  const { rows } = await database.run(LIST, [
    owner ?? null,
    operation ?? null,
    statuses === undefined ? null : textArray(statuses),
    before === undefined ? null : toStoredId(before),
    limit,
  ]);
  return rows.map((row) => decodeRecord(row, 0));
}

async function listDue(
  database: Database,
  { except, after }: NonNullable<ListRequest['due']>,
  limit: number,
): Promise<IntentRecord[]> {
  const { rows } = await database.runPrepared(LIST_DUE, [
    textArray(except),
    after?.dueAt ?? 0,
    toStoredId(after?.id ?? ''),
    limit,
  ]);
  return rows.map((row) => decodeRecord(row, 0));
}

/** Counts intents: see `Store.stats`. */
export async function stats(database: Database): Promise<StoreStats> {
  const { rows } = await database.run(STATS);
  const counts = new Map(rows.map((row) => [text(row, 0), number(row, 1)]));
  const byStatus: Partial<Record<Status, number>> = {};
  for (const status of STATUSES) {
    const count = counts.get(status);
    if (count !== undefined) byStatus[status] = count;
  }
  return { byStatus };
}

function decodeResult(row: Row, from: number): StoredResponse | undefined {
  if (row[from] === null) return undefined;
  const headers: unknown = JSON.parse(text(row, from + 1));
  return {
    status: number(row, from),
    headers: isHeaders(headers) ? headers : {},
    // Postgres writes bytea as \x and hexadecimal digits.
    body: new Uint8Array(Buffer.from(text(row, from + 2).slice(2), 'hex')),
  };
}

function isHeaders(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null;
}

function decodeNotes(cell: Row[number] | undefined): Note[] {
  if (typeof cell !== 'string') return [];
  const notes: readonly (readonly [key: string, value: string])[] = JSON.parse(cell);
  return notes.map(([key, value]) => ({ key, value }));
}
