import { isTerminal } from '@durable-api/protocol';
import { isParked } from '../state/parked.ts';
import type { IntentRecord } from '../state/intent.ts';
import { storedOperation } from '../state/stored-operation.ts';
import type { DuePosition } from '../store/store.ts';

/** Longest that an end by deadline is left to whoever runs the operation, in ms. */
const LATE_MS = 1_000;
/** The most that is parked or ended after one look. */
const MAX_TAKEN = 1_000;

/** The intent of an operation that is due the longest, as it was seen last. */
interface Head {
  readonly id: string;
  readonly lease: number;
  readonly since: number;
  /** It was parked here: that another one comes next says nothing. */
  readonly isParked?: true;
}

/** What a look at operations that this process does not take has come to. */
export interface LookResult {
  /** What is to be ended: its deadline has passed, or a cancel of it. */
  readonly ended: readonly IntentRecord[];
  readonly parked: readonly IntentRecord[];
  /** Infinity when there is nothing to look for. */
  readonly nextAt: number;
}

/**
 * Judges by one look after the other whether anybody takes what is due of other operations. That is seen by
 * a lease which lives, or by the longest due being another one than before: a backlog, however old it is,
 * moves. Only where nothing has moved for all of `graceMs` is it parked.
 */
export class Unclaimed {
  readonly #graceMs: number;
  readonly #heads = new Map<string, Head>();
  /** Up to where all is parked, and when the first of that misses its deadline. */
  #from: DuePosition | null = null;
  #skippedDeadlineAt = Infinity;
  #look: Look;

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
    this.#look = newLook(0);
  }

  /** Begins a look; returns from where. */
  begin(now: number): DuePosition | null {
    this.#look = newLook(now);
    // With a clock that was set back, what was skipped may be looked at no more.
    const isBehind = this.#from !== null && this.#from.dueAt > now;
    if (isBehind || this.#skippedDeadlineAt + LATE_MS <= now) {
      this.#from = null;
      this.#skippedDeadlineAt = Infinity;
    }
    return this.#from;
  }

  /** Takes what was found, in the order in which it is due. */
  note(record: IntentRecord): void {
    const look = this.#look;
    const { now } = look;
    const { dueAt, holder, deadlineAt } = record;
    if (dueAt === null || isTerminal(record.status)) return;
    const lateAt = (deadlineAt ?? Infinity) + (holder === null ? LATE_MS : this.#graceMs);
    const isOverdue = dueAt + this.#graceMs <= now;
    const operation = storedOperation(record);
    if (holder !== null && dueAt > now) look.alive.add(operation);
    if (lateAt <= now || (isOverdue && record.cancelRequestedAt !== null)) {
      look.hasUnparked = true;
      look.ended.push(record);
    } else if (isParked(record)) {
      look.nextAt = Math.min(look.nextAt, lateAt);
      if (look.hasUnparked) return;
      this.#from = { dueAt, id: record.id };
      this.#skippedDeadlineAt = Math.min(this.#skippedDeadlineAt, deadlineAt ?? Infinity);
    } else {
      look.hasUnparked = true;
      if (!look.heads.has(operation)) look.heads.set(operation, record);
      if (isOverdue) look.overdue.push(record);
      else look.nextAt = Math.min(look.nextAt, dueAt + this.#graceMs, lateAt);
    }
  }

  /** Ends the look. */
  end(): LookResult {
    const { now, alive, heads, overdue, ended } = this.#look;
    let { nextAt } = this.#look;
    nextAt = Math.min(nextAt, this.#skippedDeadlineAt + LATE_MS);
    for (const operation of this.#heads.keys())
      if (!heads.has(operation)) this.#heads.delete(operation);
    for (const [operation, { id, lease }] of heads) {
      const before = this.#heads.get(operation);
      const isSame = before?.isParked === true || (before?.id === id && before.lease === lease);
      const since = isSame && !alive.has(operation) ? before.since : now;
      this.#heads.set(operation, { id, lease, since });
    }
    const parked = overdue.filter((record) => {
      const since = this.#heads.get(storedOperation(record))?.since ?? now;
      if (since + this.#graceMs <= now) return true;
      nextAt = Math.min(nextAt, since + this.#graceMs);
      return false;
    });
    for (const record of parked) {
      const head = this.#heads.get(storedOperation(record));
      if (head !== undefined) this.#heads.set(storedOperation(record), { ...head, isParked: true });
    }
    const isCut = parked.length > MAX_TAKEN || ended.length > MAX_TAKEN;
    return {
      ended: ended.slice(0, MAX_TAKEN),
      parked: parked.slice(0, MAX_TAKEN),
      nextAt: isCut ? now : nextAt,
    };
  }
}

interface Look {
  readonly now: number;
  /** Operations of which somebody holds a lease. */
  readonly alive: Set<string>;
  readonly heads: Map<string, IntentRecord>;
  readonly overdue: IntentRecord[];
  readonly ended: IntentRecord[];
  hasUnparked: boolean;
  nextAt: number;
}

function newLook(now: number): Look {
  return {
    now,
    alive: new Set(),
    heads: new Map(),
    overdue: [],
    ended: [],
    hasUnparked: false,
    nextAt: Infinity,
  };
}
