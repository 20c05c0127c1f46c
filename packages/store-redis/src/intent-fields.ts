import type { IntentRecord } from '@durable-api/core';
import {
  statusSchema,
  type Failure,
  type Progress,
  type WaitingReason,
} from '@durable-api/protocol';

/**
 * A record as it is stored beside its id, in two fields. `meta` has what scripts look at and change, in
 * words: seq, status, lease, lostLeases, dueAt, deadlineAt, whether a cancel was requested, holder; the
 * holder comes last, since it may have blanks. `record` is a JSON list of the rest.
 */
export interface IntentFields {
  readonly record: string;
  readonly meta: string;
}

/** What is in the list; scripts know the first two by their place. */
type RecordList = readonly [
  operation: string,
  owner: string,
  createdAt: number,
  updatedAt: number,
  attempt: number,
  failures: number,
  waitingReason: WaitingReason | null,
  cancelRequestedAt: number | null,
  progress: Progress | null,
  error: Failure | null,
  key?: string,
  fingerprint?: string,
];

const META = /^(\S+) (\S+) (\S+) (\S+) (\S+) (\S+) \S+ ([^]*)$/;

/** Packs a record. */
export function packRecord(intent: IntentRecord): IntentFields {
  const { seq, status, lease, lostLeases, dueAt, deadlineAt, holder } = intent;
  const cancel = intent.cancelRequestedAt === null ? 0 : 1;
  const instants = `${dueAt ?? '-'} ${deadlineAt ?? '-'}`;
  return {
    record: packList(intent),
    meta: `${seq} ${status} ${lease} ${lostLeases} ${instants} ${cancel} ${holder ?? ''}`,
  };
}

/** Packs what {@link packRecord} packs into `record` alone. */
export function packList(intent: IntentRecord): string {
  const { idempotency } = intent;
  const list: RecordList = [
    intent.operation,
    intent.owner,
    intent.createdAt,
    intent.updatedAt,
    intent.attempt,
    intent.failures,
    intent.waitingReason,
    intent.cancelRequestedAt,
    intent.progress,
    intent.error,
    ...(idempotency === null
      ? ([] as const)
      : ([idempotency.key, idempotency.fingerprint] as const)),
  ];
  return JSON.stringify(list);
}

/** Reads back what {@link packRecord} packed and scripts may have changed. */
export function unpackRecord(id: string, { record, meta }: IntentFields): IntentRecord {
  const words = META.exec(meta);
  if (words === null) throw new Error(`Intent ${id} has the malformed meta "${meta}".`);
  const [, seq, status, lease, lostLeases, dueAt, deadlineAt, holder] = words;
  const list: RecordList = JSON.parse(record);
  const [operation, owner, createdAt, updatedAt, attempt, failures, ...rest] = list;
  const [waitingReason, cancelRequestedAt, progress, error, key, fingerprint] = rest;
  return {
    id,
    operation,
    owner,
    createdAt,
    deadlineAt: deadlineAt === '-' ? null : Number(deadlineAt),
    idempotency: key === undefined || fingerprint === undefined ? null : { key, fingerprint },
    seq: Number(seq),
    status: statusSchema.parse(status),
    waitingReason,
    updatedAt,
    attempt,
    failures,
    cancelRequestedAt,
    progress,
    error,
    lease: Number(lease),
    holder: holder === '' ? null : (holder ?? null),
    lostLeases: Number(lostLeases),
    dueAt: dueAt === '-' ? null : Number(dueAt),
  };
}
