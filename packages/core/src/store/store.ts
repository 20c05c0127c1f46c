import type { Status } from '@durable-api/protocol';
import type { IntentRecord, StoredResponse } from '../state/intent.ts';

/** An event as stores keep it: opaque wire JSON beside what is needed to find and frame it. */
export interface StoredEvent {
  readonly seq: number;
  readonly type: string;
  /** One line of JSON. */
  readonly json: string;
}

/** What a store is, as data. The engine and the conformance suite consult it; nothing is probed. */
export interface StoreCapabilities {
  /** What an acknowledged write survives. */
  readonly durability: 'none' | 'process-crash' | 'power-loss';
  /** Whether several processes can use the same data at once. */
  readonly shared: boolean;
  /** Whether `watch` reports what other processes write. */
  readonly watches: boolean;
  /**
   * Whose clock decides what is due: `caller` uses the `now` of the request, `store` has one of its
   * own, ignores the request's, and reports it.
   */
  readonly clock: 'caller' | 'store';
  /** Whether `submit` can be part of a transaction of the caller's own. Default: false. */
  readonly transactions?: boolean;
}

/** One intent to store. */
export interface SubmitRequest {
  readonly record: IntentRecord;
  readonly events: readonly StoredEvent[];
  /** The captured request as JSON. */
  readonly input: string;
}

export type SubmitResult =
  | { readonly outcome: 'created' }
  /**
   * The idempotency key, the id or the live key was there before, and is found in this order; `record` is
   * the earlier intent as it is now.
   */
  | { readonly outcome: 'exists'; readonly record: IntentRecord }
  | WriteFailed;

/**
 * One write of a batch failed and others did not, as happens in a store of several parts. Like a
 * rejected call, but for this write alone: its outcome is unknown, and repeating it is safe.
 */
export interface WriteFailed {
  readonly outcome: 'failed';
  /** What the call would have been rejected with. */
  readonly error: unknown;
}

export interface ClaimRequest {
  readonly now: number;
  /** Who claims: unique per engine, also after a restart. */
  readonly holder: string;
  readonly leaseMs: number;
  /** Of the intents without a key, only those of these operations: see `storedOperation`. */
  readonly operations: readonly string[];
  /** Of the intents with a key, only those of these operations, each named once. Default: none. */
  readonly keyed?: readonly KeyedOperation[];
  /** At most so many; at least 1. */
  readonly limit: number;
}

/** How intents with a key may be taken of one operation. Who claims says so; the store keeps no limits. */
export interface KeyedOperation {
  readonly operation: string;
  /** At most so many of this operation; null for as many as the claim takes. At least 1. */
  readonly room: number | null;
  /** The most leases of one key that are held at once, by whomever; null for no limit. */
  readonly perKey: number | null;
  /** The most leases of one key that are taken in any period of this length; null for no limit. */
  readonly rateLimit: RateLimit | null;
}

/** At most `limit` in any `periodMs`. */
export interface RateLimit {
  readonly limit: number;
  readonly periodMs: number;
}

/** A claimed intent: the record as it is under the new lease, and the input. */
export interface Claimed {
  readonly record: IntentRecord;
  readonly input: string;
}

export interface ClaimResult {
  readonly claimed: readonly Claimed[];
  /**
   * The earliest `dueAt` of what is left of these operations; null when nothing is. What a limit holds
   * back counts with the instant at which that can change by itself: a lease ends, a period is over, its
   * deadline passes.
   */
  readonly nextDueAt: number | null;
  /** Whether something due was left because of `perKey`: then the end of a lease of that key is news. */
  readonly isHeldBack?: boolean;
  /** The instant at which the store decided, on the clock that it decided by. */
  readonly now: number;
}

export interface RenewRequest {
  readonly now: number;
  readonly leaseMs: number;
  readonly leases: readonly {
    readonly id: string;
    readonly lease: number;
    /** Gives the lease back instead: the intent is due at once, and nothing counts as lost. */
    readonly release?: boolean;
  }[];
}

/** One entry per lease of the request, in its order. */
export type RenewResult = readonly (
  | { readonly held: true; readonly seq: number; readonly cancelRequested: boolean }
  | { readonly held: false }
)[];

/**
 * Something that an intent is to remember beside its record and its events, and that no observer is
 * shown: the value of a step, a signal that has come.
 */
export interface Note {
  /** 1 to 300 characters of well-formed text without control characters. */
  readonly key: string;
  /** One line of JSON. */
  readonly value: string;
}

/** One change of one intent, computed by the state machine from the record at `expected.seq`. */
export interface CommitRequest {
  /**
   * `seq` guards every commit. `lease` is given by the holder of one, and guards it against having
   * been replaced; a commit without it is made by somebody who holds none.
   */
  readonly expected: { readonly seq: number; readonly lease: number | null };
  /**
   * The record after the change. When `holder` is null the lease is given up and `dueAt` written;
   * else the store leaves the lease fields (`lease`, `holder`, `lostLeases`, `dueAt`) as they are.
   */
  readonly record: IntentRecord;
  /** At least one; numbered `expected.seq + 1` to `record.seq`. */
  readonly events: readonly StoredEvent[];
  /** The response to keep, with a commit that completes the intent. */
  readonly result?: StoredResponse;
  /** What to remember; a key that is there already gets the new value. Each key at most once. */
  readonly notes?: readonly Note[];
  /** What takes the place of the input, as JSON. */
  readonly input?: string;
  /** The live key that the intent gives up with this change: what it had before it, and has no more. */
  readonly freesLiveKey?: string;
}

export type CommitResult =
  | { readonly outcome: 'ok' }
  /** The lease was lost: nothing was written, nothing will be. */
  | { readonly outcome: 'stale' }
  /** The record has moved on; compute the change again from `record`. */
  | { readonly outcome: 'moved'; readonly record: IntentRecord }
  | { readonly outcome: 'missing' }
  | WriteFailed;

export interface GetRequest {
  readonly ids: readonly string[];
  /** Also read what the handler was given, or answered, or what the intent remembers. */
  readonly include?: 'input' | 'result' | 'notes';
}

export interface Found {
  readonly record: IntentRecord;
  readonly input?: string;
  readonly result?: StoredResponse;
  /** All notes of the intent as they are at `record.seq`, in no particular order. */
  readonly notes?: readonly Note[];
}

export interface EventsRequest {
  /** Events with a larger seq than `after` of each of these intents. */
  readonly of: readonly { readonly id: string; readonly after: number }[];
  /** At most about so many events per intent: a commit's events are never torn apart. */
  readonly limit: number;
}

export interface ListRequest {
  readonly owner?: string;
  /** By its name: all of its versions, which stores have as `name`, `name@@1`, `name@@2`. */
  readonly operation?: string;
  readonly statuses?: readonly Status[];
  /** Only intents whose id sorts before this one: the last id of the page before. */
  readonly before?: string;
  /**
   * With it, no other filter counts: what has not ended of all operations but `except`, as claims name
   * them, with a key and without; the longest due first, and of one instant by id, from behind `after` on.
   */
  readonly due?: {
    readonly except: readonly string[];
    readonly after: DuePosition | null;
  };
  readonly limit: number;
}

/** A place among what is due, by instant and then by id. */
export type DuePosition = { readonly dueAt: number; readonly id: string };

export interface PruneRequest {
  readonly now: number;
  /** Terminal intents that were last updated before this instant go, … */
  readonly endedBefore: number;
  /** … unless they have an idempotency key and were created at or after this instant. */
  readonly keyedBefore: number;
  readonly limit: number;
}

export interface StoreStats {
  /** How many intents have each status; absent statuses have none. */
  readonly byStatus: Readonly<Partial<Record<Status, number>>>;
}

/** Says "look again": these intents changed, or something may have become due. Never data. */
export interface WatchHint {
  /** The ids that changed; null when the store cannot tell which. */
  readonly ids: readonly string[] | null;
}

/**
 * Where intents live. A store guards and writes atomically; it never decides. All methods take and
 * give batches. A rejected promise means that the outcome of the whole call is unknown; repeating
 * the call is safe. Stores throw `DurableError` with `store_unavailable` or `store_full`.
 */
export interface Store {
  readonly capabilities: StoreCapabilities;

  /**
   * Brings the schema up to date and opens the store. Safe under concurrent callers; refuses a newer
   * breaking schema. Must be called once before anything else.
   */
  migrate(): Promise<void>;

  /**
   * Stores intents. Each one's record, events and input appear together or not at all. An idempotency
   * key, an id, or a live key of an intent that has not ended, that is there already wins over the newcomer,
   * also within one batch. Returns one result per request, in order. After it resolves, the intents are as durable as the store is.
   *
   * With a `transaction`, whose form is the store's to say, they are a part of that instead: they are
   * there when it commits, and never were when it rolls back. Only for stores with `transactions`.
   */
  submit(batch: readonly SubmitRequest[], transaction?: unknown): Promise<readonly SubmitResult[]>;

  /**
   * Takes the lease of what is due (`dueAt <= now`), the longest due first: raises `lease`, sets
   * `holder`, sets `dueAt` to the earlier of `now + leaseMs` and `deadlineAt` (while that is in the
   * future), and adds one to `lostLeases` if somebody still held it. Two claims never return the same
   * lease.
   *
   * Intents with a key are taken in turns: those of one operation, key and priority stand in a lane. The
   * lanes of the highest priority come first; of these, the lane that has waited the longest since one was
   * taken from it, or since it came; and of a lane the longest due. `perKey` counts what has a holder. So
   * that a lease that ended counts no longer, and never again, it is taken from its holder first, as lost.
   * What is past its deadline is taken whatever the limits say: it will not be worked on.
   */
  claim(request: ClaimRequest): Promise<ClaimResult>;

  /** Sets `dueAt` of leases that are still held like a claim does, or gives them back. */
  renew(request: RenewRequest): Promise<RenewResult>;

  /**
   * Writes changes. Each one's record, events, notes, input and result appear together or not at all, and only if
   * the guard holds. One result per request, in order; requests for one intent apply in order.
   */
  commit(batch: readonly CommitRequest[]): Promise<readonly CommitResult[]>;

  /** One entry per id, in order; undefined where there is no such intent. */
  get(request: GetRequest): Promise<readonly (Found | undefined)[]>;

  /** The events of each intent in ascending seq, without a gap. Unknown ids give an empty list. */
  events(request: EventsRequest): Promise<readonly (readonly StoredEvent[])[]>;

  /** Newest first. */
  list(request: ListRequest): Promise<readonly IntentRecord[]>;

  /**
   * Calls `listener` when other users of the same data have written. May be late or repeat itself,
   * may say too much; a lost hint costs latency only. Returns what ends the watch.
   */
  watch(listener: (hint: WatchHint) => void): () => void;

  /** Removes old terminal intents with all that belongs to them. Returns how many went. */
  prune(request: PruneRequest): Promise<number>;

  stats(): Promise<StoreStats>;

  /** Waits for what is under way and releases everything. Closing twice is harmless. */
  close(): Promise<void>;
}
