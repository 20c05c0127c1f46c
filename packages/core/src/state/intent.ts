import type { Failure, Progress, Status, WaitingReason } from '@durable-api/protocol';

/** Identifies one idempotent submit: a hash of owner, operation and key, and one of the request. */
export interface Idempotency {
  readonly key: string;
  readonly fingerprint: string;
}

/** The finished response of a handler, as it is stored and served. */
export interface StoredResponse {
  readonly status: number;
  /** Lower-case names; no hop-by-hop headers, no cookies. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * One intent. All instants are milliseconds since the epoch on the store's clock.
 *
 * Everything below `seq` changes only together with `seq`, by a commit that writes the events of the
 * change. The lease fields change by claim, renew and release, and by a commit that gives it up.
 */
export interface IntentRecord {
  /** UUIDv7, lower case. The last four digits of one with a key are those that {@link placeId} gives. */
  readonly id: string;
  readonly operation: string;
  /** The version of the operation that it was submitted to; absent when that has none. */
  readonly version?: string;
  /** The tenant or user that the intent belongs to; `''` when the API has no owners. */
  readonly owner: string;
  readonly createdAt: number;
  readonly deadlineAt: number | null;
  readonly idempotency: Idempotency | null;
  /** The intent that this one does again; absent when it is nobody's retry. */
  readonly retriedFrom?: string;
  /** The intent whose handler has started this one; absent when it is nobody's child. */
  readonly parentIntentId?: string;
  /**
   * What limits and turns go by, within the operation: 1 to 200 characters, or `''` where all intents of
   * the operation have one. Absent when the operation had neither limits nor a key at the submit.
   */
  readonly key?: string;
  /** Which of two that could start goes first: the higher, -100 to 100. Absent is 0; only beside a key. */
  readonly priority?: number;
  /**
   * No two intents that have not ended have one; a submit with it is answered with the one that has.
   * Absent for who has none, or has given it up: see {@link isFreedByStart}.
   */
  readonly liveKey?: string;

  /** The number of the last event; counts from 1 without a gap. */
  readonly seq: number;
  readonly status: Status;
  readonly waitingReason: WaitingReason | null;
  readonly updatedAt: number;
  /** The ordinal of the latest attempt; 0 before the first. */
  readonly attempt: number;
  /** Attempts that failed by the handler's fault; what `retries` is counted against. */
  readonly failures: number;
  readonly cancelRequestedAt: number | null;
  readonly progress: Progress | null;
  readonly error: Failure | null;

  /** The fence: raised by every claim, never lowered. 0 before the first claim. */
  readonly lease: number;
  /** The process that holds the lease; null when nobody does. */
  readonly holder: string | null;
  /** How often a holder vanished without giving its lease back. */
  readonly lostLeases: number;
  /** When somebody must look at the intent next; null exactly when it is terminal. */
  readonly dueAt: number | null;
}
