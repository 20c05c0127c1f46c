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
  key?: string | null,
  fingerprint?: string | null,
  retriedFrom?: string | null,
  parentIntentId?: string | null,
  limitKey?: string | null,
  priority?: number,
  liveKey?: string,
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
    ...tailOf(intent),
  ];
  return JSON.stringify(list);
}

type Tail = readonly [
  key?: string | null,
  fingerprint?: string | null,
  retriedFrom?: string | null,
  parentIntentId?: string | null,
  limitKey?: string | null,
  priority?: number,
  liveKey?: string,
];

/** What few intents have, as far as this one has it. */
function tailOf(intent: IntentRecord): Tail {
  const { idempotency, retriedFrom, parentIntentId, key, priority = 0, liveKey } = intent;
  const keyed = [idempotency?.key ?? null, idempotency?.fingerprint ?? null] as const;
  const origin = [retriedFrom ?? null, parentIntentId ?? null] as const;
  if (liveKey !== undefined) return [...keyed, ...origin, key ?? null, priority, liveKey];
  if (key !== undefined) return [...keyed, ...origin, key, priority];
  if (parentIntentId !== undefined) return [...keyed, ...origin];
  if (retriedFrom !== undefined) return [...keyed, retriedFrom];
  return idempotency === null ? [] : keyed;
}

/** Reads back what {@link packRecord} packed and scripts may have changed. */
export function unpackRecord(id: string, { record, meta }: IntentFields): IntentRecord {
  const words = META.exec(meta);
  if (words === null) throw new Error(`Intent ${id} has the malformed meta "${meta}".`);
  const [, seq, status, lease, lostLeases, dueAt, deadlineAt, holder] = words;
  const list: RecordList = JSON.parse(record);
  const [operation, owner, createdAt, updatedAt, attempt, failures, ...rest] = list;
  const [waitingReason, cancelRequestedAt, progress, error, key, fingerprint, ...rare] = rest;
  const [retriedFrom, parentIntentId, limitKey, priority = 0, liveKey] = rare;
  return {
    id,
    operation,
    owner,
    createdAt,
    deadlineAt: deadlineAt === '-' ? null : Number(deadlineAt),
    idempotency: isGiven(key) && isGiven(fingerprint) ? { key, fingerprint } : null,
    ...(isGiven(retriedFrom) && { retriedFrom }),
    ...(isGiven(parentIntentId) && { parentIntentId }),
    ...(isGiven(limitKey) && { key: limitKey }),
    ...(priority !== 0 && { priority }),
    ...(liveKey !== undefined && { liveKey }),
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

function isGiven(text: string | null | undefined): text is string {
  return text !== null && text !== undefined;
}
