import { STATUSES, type Status } from '@durable-api/protocol';
import type { IntentRecord } from '@durable-api/core';
import type { Row } from './database.ts';

/** How many columns a record has in the results of the statements. */
export const RECORD_WIDTH = 15;

/** The fields of a record that have columns of their own. */
type ColumnField =
  | 'id'
  | 'operation'
  | 'owner'
  | 'createdAt'
  | 'deadlineAt'
  | 'idempotency'
  | 'seq'
  | 'status'
  | 'updatedAt'
  | 'lease'
  | 'holder'
  | 'lostLeases'
  | 'dueAt';

/** The fields that only the state machine reads; a new one needs no migration. */
type State = Omit<IntentRecord, ColumnField>;

/** The fields without columns as JSON. */
export function encodeState(record: IntentRecord): string {
  const {
    id: _id,
    operation: _operation,
    owner: _owner,
    createdAt: _createdAt,
    deadlineAt: _deadlineAt,
    idempotency: _idempotency,
    seq: _seq,
    status: _status,
    updatedAt: _updatedAt,
    lease: _lease,
    holder: _holder,
    lostLeases: _lostLeases,
    dueAt: _dueAt,
    ...state
  } = record;
  return JSON.stringify(state satisfies State);
}

/** Reads a record from the columns of `row` that begin at `from`. */
export function decodeRecord(row: Row, from: number): IntentRecord {
  const key = row[from + 5];
  const holder = row[from + 11];
  return {
    id: text(row, from),
    operation: text(row, from + 1),
    owner: text(row, from + 2),
    createdAt: number(row, from + 3),
    deadlineAt: nullable(row, from + 4),
    idempotency:
      key === null || key === undefined ? null : { key, fingerprint: text(row, from + 6) },
    seq: number(row, from + 7),
    status: status(text(row, from + 8)),
    updatedAt: number(row, from + 9),
    lease: number(row, from + 10),
    holder: holder ?? null,
    lostLeases: number(row, from + 12),
    dueAt: nullable(row, from + 13),
    ...decodeState(text(row, from + 14)),
  };
}

/** The text in a column that is never null. */
export function text(row: Row, column: number): string {
  const value = row[column];
  if (value === null || value === undefined) throw new Error(`Postgres left out column ${column}.`);
  return value;
}

/** The number in a column that is never null. */
export function number(row: Row, column: number): number {
  return Number(text(row, column));
}

/** The number in a column, or null. */
export function nullable(row: Row, column: number): number | null {
  const value = row[column];
  return value === null || value === undefined ? null : Number(value);
}

function status(value: string): Status {
  const known = STATUSES.find((one) => one === value);
  if (known === undefined) throw new Error(`The store has an intent with the status "${value}".`);
  return known;
}

function decodeState(json: string): State {
  const state: unknown = JSON.parse(json);
  if (!isState(state)) throw new Error('The store has an intent with an unreadable state.');
  return state;
}

function isState(value: unknown): value is State {
  return (
    typeof value === 'object' &&
    value !== null &&
    'attempt' in value &&
    'failures' in value &&
    'waitingReason' in value
  );
}
