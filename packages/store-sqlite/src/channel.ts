import type { Status } from '@durable-api/protocol';
import type {
  ClaimRequest,
  EventsRequest,
  ListRequest,
  Note,
  PruneRequest,
  RenewRequest,
  RenewResult,
} from '@durable-api/core';
import type { Cell, RecordRow } from './record-row.ts';

/** A handler's response as it crosses to the other thread: its head as JSON, and its bytes. */
export interface StoredResult {
  readonly head: string;
  readonly body: Uint8Array;
}

/** What crosses for a batch of submits: see `packSubmits`. */
export type PackedSubmits = readonly Cell[];

/** What crosses for a batch of commits: see `packCommits`. */
export interface PackedCommits {
  readonly cells: readonly Cell[];
  /** The bytes of all results, one after the other: an array each would cost more than what is in it. */
  readonly bodies: Uint8Array;
  /** For each note the place of its commit in the batch, its key and its value; null when there is none. */
  readonly notes: readonly Cell[] | null;
  /**
   * For each commit that replaces its input or gives up its live key: its place in the batch, the input
   * or null, and 1 if it gives the key up; null when there is none.
   */
  readonly replaced: readonly Cell[] | null;
}

/** A submit's outcome: null when created, else the row of the intent that was there before. */
export type SubmitOutcome = RecordRow | null;

/** A commit's outcome; a row means that the intent has moved on. */
export type CommitOutcome = 'ok' | 'stale' | 'missing' | RecordRow;

/** One found intent. */
export interface FoundRow {
  readonly row: RecordRow;
  readonly input: string | null;
  readonly result: StoredResult | null;
  readonly notes: readonly Note[] | null;
}

/** Events of one commit: the last seq of them, and the lines that `joinEvents` made. */
export type EventsRow = readonly [lastSeq: number, lines: string];

/** The calls that the worker thread answers, with what each takes and gives. */
export interface Calls {
  readonly open: { takes: null; gives: null };
  readonly submit: { takes: PackedSubmits; gives: readonly SubmitOutcome[] };
  readonly claim: {
    takes: ClaimRequest;
    gives: {
      readonly claimed: readonly (readonly [row: RecordRow, input: string])[];
      readonly nextDueAt: number | null;
      readonly isHeldBack?: boolean;
    };
  };
  readonly renew: { takes: RenewRequest; gives: RenewResult };
  readonly commit: { takes: PackedCommits; gives: readonly CommitOutcome[] };
  readonly get: {
    takes: {
      readonly ids: readonly string[];
      readonly include: 'input' | 'result' | 'notes' | null;
    };
    gives: readonly (FoundRow | null)[];
  };
  readonly events: { takes: EventsRequest; gives: readonly (readonly EventsRow[])[] };
  readonly list: {
    takes: ListRequest & { readonly versionMark: string };
    gives: readonly RecordRow[];
  };
  readonly prune: { takes: PruneRequest; gives: number };
  readonly stats: { takes: null; gives: Partial<Record<Status, number>> };
  readonly close: { takes: null; gives: null };
}

export type CallName = keyof Calls;

/** A call on its way to the worker thread; those of one tick travel as one list. */
export type Call = {
  [Name in CallName]: {
    readonly name: Name;
    readonly id: number;
    readonly takes: Calls[Name]['takes'];
  };
}[CallName];

/** Why a call failed, in a form that crosses between threads. */
export interface CallFailure {
  readonly code: 'store_unavailable' | 'store_full' | 'options_invalid';
  readonly message: string;
}

/** How a call ended. */
export type Answer =
  | { readonly id: number; readonly gives: unknown }
  | { readonly id: number; readonly failure: CallFailure };

/** What the worker thread says. */
export type WorkerMessage =
  | { readonly kind: 'answers'; readonly answers: readonly Answer[] }
  | { readonly kind: 'hint'; readonly ids: readonly string[] | null };
