import type { IntentRecord } from '@durable-api/core';
import {
  failureSchema,
  progressSchema,
  statusSchema,
  waitingReasonSchema,
} from '@durable-api/protocol';
import type { RecordRow } from './record-row.ts';

/** Rebuilds a record from the cells that `toRow` made. */
export function fromRow(row: RecordRow): IntentRecord {
  const [id, operation, owner, createdAt, deadlineAt, key, fingerprint, ...changing] = row;
  const [seq, status, reason, updatedAt, attempt, failures, cancelAt, progress, error, ...lease] =
    changing;
  const [fence, holder, lostLeases, dueAt, retriedFrom, ...rare] = lease;
  const [parentIntentId, laneKey, priority, liveKey] = rare;
  return {
    id: String(id),
    operation: String(operation),
    owner: String(owner),
    createdAt: Number(createdAt),
    deadlineAt: instant(deadlineAt),
    idempotency: typeof key === 'string' ? { key, fingerprint: String(fingerprint) } : null,
    seq: Number(seq),
    status: statusSchema.parse(status),
    waitingReason: typeof reason === 'string' ? waitingReasonSchema.parse(reason) : null,
    updatedAt: Number(updatedAt),
    attempt: Number(attempt),
    failures: Number(failures),
    cancelRequestedAt: instant(cancelAt),
    progress: typeof progress === 'string' ? progressSchema.parse(JSON.parse(progress)) : null,
    error: typeof error === 'string' ? failureSchema.parse(JSON.parse(error)) : null,
    lease: Number(fence),
    holder: typeof holder === 'string' ? holder : null,
    lostLeases: Number(lostLeases),
    dueAt: instant(dueAt),
    ...(typeof retriedFrom === 'string' && { retriedFrom }),
    ...(typeof parentIntentId === 'string' && { parentIntentId }),
    ...(typeof laneKey === 'string' && { key: laneKey }),
    ...(typeof priority === 'number' && priority !== 0 && { priority }),
    ...(typeof liveKey === 'string' && { liveKey }),
  };
}

function instant(cell: RecordRow[number] | undefined): number | null {
  return typeof cell === 'number' ? cell : null;
}
