import type { Status } from '@durable-api/protocol';
import type {
  ClaimRequest,
  EventsRequest,
  ListRequest,
  PruneRequest,
  RenewRequest,
  RenewResult,
} from '@durable-api/core';
import type { RecordRow } from './record-row.ts';

/** A handler's response as it crosses to the other thread: its head as JSON, and its bytes. */
export interface StoredResult {
  readonly head: string;
  readonly body: Uint8Array;
}

/** What crosses for one submit: the row, its events as text, the input. */
export type SubmitItem = readonly [row: RecordRow, events: string, input: string];

/** What crosses for one commit. */
export interface CommitItem {
  readonly expectedSeq: number;
  readonly expectedLease: number | null;
  readonly row: RecordRow;
  readonly events: string;
  readonly result: StoredResult | null;
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
}

/** Events of one commit: the last seq of them, and the lines that `joinEvents` made. */
export type EventsRow = readonly [lastSeq: number, lines: string];

/** The calls that the worker thread answers, with what each takes and gives. */
export interface Calls {
  readonly open: { takes: null; gives: null };
  readonly submit: { takes: readonly SubmitItem[]; gives: readonly SubmitOutcome[] };
  readonly claim: {
    takes: ClaimRequest;
    gives: {
      readonly claimed: readonly (readonly [row: RecordRow, input: string])[];
      readonly nextDueAt: number | null;
    };
  };
  readonly renew: { takes: RenewRequest; gives: RenewResult };
  readonly commit: { takes: readonly CommitItem[]; gives: readonly CommitOutcome[] };
  readonly get: {
    takes: { readonly ids: readonly string[]; readonly include: 'input' | 'result' | null };
    gives: readonly (FoundRow | null)[];
  };
  readonly events: { takes: EventsRequest; gives: readonly (readonly EventsRow[])[] };
  readonly list: { takes: ListRequest; gives: readonly RecordRow[] };
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
