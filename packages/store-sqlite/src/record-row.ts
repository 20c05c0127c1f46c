import type { IntentRecord } from '@durable-api/core';

/** What SQLite takes and gives for one column of an intent. */
export type Cell = string | number | null;

/** The columns of an intent in the order in which rows travel between the threads. */
export const COLUMNS = [
  'id',
  'operation',
  'owner',
  'created_at',
  'deadline_at',
  'idempotency_key',
  'fingerprint',
  'seq',
  'status',
  'waiting_reason',
  'updated_at',
  'attempt',
  'failures',
  'cancel_requested_at',
  'progress',
  'error',
  'lease',
  'holder',
  'lost_leases',
  'due_at',
  'retried_from',
  'parent_intent_id',
  'key',
  'priority',
  'live_key',
] as const;

/** The columns that change with `seq`. */
export const CHANGING = [
  'seq',
  'status',
  'waiting_reason',
  'updated_at',
  'attempt',
  'failures',
  'cancel_requested_at',
  'progress',
  'error',
] as const;

/** The place of a column in a row. */
export function columnIndex(name: (typeof COLUMNS)[number]): number {
  return COLUMNS.indexOf(name);
}

/** One intent as a flat list of cells: cheap to hand to another thread and to bind to a statement. */
export type RecordRow = readonly Cell[];

/** Flattens a record. */
export function toRow(record: IntentRecord): RecordRow {
  return [
    record.id,
    record.operation,
    record.owner,
    record.createdAt,
    record.deadlineAt,
    record.idempotency?.key ?? null,
    record.idempotency?.fingerprint ?? null,
    record.seq,
    record.status,
    record.waitingReason,
    record.updatedAt,
    record.attempt,
    record.failures,
    record.cancelRequestedAt,
    record.progress === null ? null : JSON.stringify(record.progress),
    record.error === null ? null : JSON.stringify(record.error),
    record.lease,
    record.holder,
    record.lostLeases,
    record.dueAt,
    record.retriedFrom ?? null,
    record.parentIntentId ?? null,
    record.key ?? null,
    record.key === undefined ? null : (record.priority ?? 0),
    record.liveKey ?? null,
  ];
}
