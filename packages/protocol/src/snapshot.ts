import { z } from 'zod';
import { failureSchema, type Failure } from './failure.ts';
import { linksSchema, type Links } from './links.ts';
import { progressSchema, type Progress } from './progress.ts';
import {
  PARKED_CODES,
  statusSchema,
  waitingReasonSchema,
  type Status,
  type WaitingReason,
} from './status.ts';

/** The state of an intent: the answer of `GET P/{id}` and of a cancel. */
export const snapshotSchema = z.object({
  ok: z.literal(true),
  intent_id: z.string(),
  operation: z.string(),
  version: z.string().optional(),
  status: statusSchema,
  seq: z.int().min(1),
  attempt: z.int().min(0),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  retried_from: z.string().optional(),
  parent_intent_id: z.string().optional(),
  waiting_reason: waitingReasonSchema.optional(),
  resume_at: z.iso.datetime().optional(),
  deadline_at: z.iso.datetime().optional(),
  cancel_requested_at: z.iso.datetime().optional(),
  progress: progressSchema.optional(),
  error: failureSchema.optional(),
  links: linksSchema,
});

export type WireSnapshot = z.infer<typeof snapshotSchema>;

/** What {@link encodeSnapshot} reads of an intent. Instants are milliseconds since the epoch. */
export interface SnapshotSource {
  readonly id: string;
  readonly operation: string;
  readonly version?: string;
  readonly status: Status;
  readonly seq: number;
  readonly attempt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly retriedFrom?: string;
  readonly parentIntentId?: string;
  readonly waitingReason: WaitingReason | null;
  readonly dueAt: number | null;
  readonly deadlineAt: number | null;
  readonly cancelRequestedAt: number | null;
  readonly progress: Progress | null;
  readonly error: Failure | null;
}

/**
 * The instant of an intent that nothing but a signal can wake: the last day that RFC 3339 can write down.
 */
export const FOREVER_AT: number = /* @__PURE__ */ Date.UTC(9999, 11, 31);

const instant = (ms: number): string => new Date(ms).toISOString();

/** Maps an intent to its wire snapshot. */
export function encodeSnapshot(source: SnapshotSource, links: Links): WireSnapshot {
  const snapshot: WireSnapshot = {
    ok: true,
    intent_id: source.id,
    operation: source.operation,
    status: source.status,
    seq: source.seq,
    attempt: source.attempt,
    created_at: instant(source.createdAt),
    updated_at: instant(source.updatedAt),
    links,
  };
  if (source.version !== undefined) snapshot.version = source.version;
  if (source.retriedFrom !== undefined) snapshot.retried_from = source.retriedFrom;
  if (source.parentIntentId !== undefined) snapshot.parent_intent_id = source.parentIntentId;
  if (source.waitingReason !== null) snapshot.waiting_reason = source.waitingReason;
  const isParked = PARKED_CODES.some((code) => code === source.error?.code);
  const isResumed = source.status === 'WAITING' && !isParked;
  if (isResumed && source.dueAt !== null && source.dueAt < FOREVER_AT) {
    snapshot.resume_at = instant(source.dueAt);
  }
  if (source.deadlineAt !== null) snapshot.deadline_at = instant(source.deadlineAt);
  if (source.cancelRequestedAt !== null) {
    snapshot.cancel_requested_at = instant(source.cancelRequestedAt);
  }
  if (source.progress !== null) snapshot.progress = source.progress;
  if (source.error !== null) snapshot.error = source.error;
  return snapshot;
}
