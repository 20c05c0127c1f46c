import type { IntentRecord } from '../state/intent.ts';
import type { ClaimRequest, KeyedOperation } from './store.ts';

/** What a memory store has of an intent. */
interface LaneEntry {
  record: IntentRecord;
}

/** The live intents of one operation, key and priority. */
interface Lane<Entry> {
  readonly name: string;
  readonly operation: KeyedOperation;
  readonly place: Place;
  readonly priority: number;
  /** What is due, the longest first. */
  readonly due: Entry[];
}

/** What limits go by: one key of an operation. */
interface Place {
  readonly name: string;
  /** How many leases are held. */
  held: number;
}

/** What a claim of intents with keys has come to. */
export interface Turns<Entry> {
  readonly taken: readonly Entry[];
  /** Infinity when nothing is left. */
  readonly nextDueAt: number;
  readonly isHeldBack: boolean;
}

/** Whose turn it is among the intents with keys of a memory store. */
export class MemoryLanes {
  /** When each lane came, or was served last, as a number that only grows. */
  readonly #turns = new Map<string, number>();
  /** When leases of each key were taken, as far as a rate limit may ask. */
  readonly #starts = new Map<string, number[]>();
  #lastTurn = 0;

  /** Calls `take` with what may be taken of `live`, all that has not ended. */
  claim<Entry extends LaneEntry>(
    live: Iterable<Entry>,
    request: ClaimRequest,
    take: (entry: Entry) => void,
  ): Turns<Entry> {
    const { now, limit, keyed = [] } = request;
    const operations = new Map(keyed.map((each) => [each.operation, each]));
    const entries = [...live].filter(
      ({ record }) => record.key !== undefined && operations.has(record.operation),
    );
    const lanes = this.#line(entries, operations, now);
    const rooms = new Map(keyed.map(({ operation, room }) => [operation, room ?? Infinity]));
    const roomOf = (lane: Lane<Entry>): number => rooms.get(lane.operation.operation) ?? 0;
    const taken: Entry[] = [];
    while (taken.length < limit) {
      const lane = lanes
        .filter((each) => roomOf(each) > 0 && this.#heads(each, now) !== undefined)
        .sort((a, b) => b.priority - a.priority || this.#turnOf(a.name) - this.#turnOf(b.name))[0];
      const head = lane && this.#heads(lane, now);
      if (lane === undefined || head === undefined) break;
      const isNewlyHeld = head.record.holder === null;
      take(head);
      taken.push(head);
      lane.due.splice(lane.due.indexOf(head), 1);
      if (isNewlyHeld) lane.place.held += 1;
      if (!isLate(head, now)) this.#noteStart(lane, now);
      this.#turns.set(lane.name, (this.#lastTurn += 1));
      rooms.set(lane.operation.operation, roomOf(lane) - 1);
    }
    const open = lanes.filter((lane) => lane.due.length > 0 && roomOf(lane) > 0);
    const looks = open.map((lane) =>
      this.#heads(lane, now) === undefined ? this.#unblockedAt(lane, now) : now,
    );
    const dues = entries.map(({ record }) => record.dueAt ?? Infinity).filter((at) => at > now);
    return {
      taken,
      nextDueAt: Math.min(Infinity, ...looks, ...dues),
      isHeldBack: open.some((lane) => this.#heads(lane, now) === undefined && isFull(lane)),
    };
  }

  /** The lanes of these entries. Leases that have ended are taken from their holders where they count. */
  #line<Entry extends LaneEntry>(
    entries: readonly Entry[],
    operations: ReadonlyMap<string, KeyedOperation>,
    now: number,
  ): Lane<Entry>[] {
    const lanes = new Map<string, Lane<Entry>>();
    const places = new Map<string, Place>();
    for (const entry of entries) {
      const { operation: name, key = '', priority = 0 } = entry.record;
      const operation = operations.get(name);
      if (operation === undefined) continue;
      const placeName = `${name}\n${key}`;
      const place = places.get(placeName) ?? { name: placeName, held: 0 };
      places.set(placeName, place);
      const laneName = `${priority} ${placeName}`;
      const lane = lanes.get(laneName) ?? { name: laneName, operation, place, priority, due: [] };
      lanes.set(laneName, lane);
      const isDue = (entry.record.dueAt ?? Infinity) <= now;
      if (isDue && operation.perKey !== null) expel(entry);
      if (isDue) lane.due.push(entry);
      if (entry.record.holder !== null) place.held += 1;
      this.#turnOf(laneName);
    }
    for (const lane of lanes.values()) lane.due.sort((a, b) => dueOf(a) - dueOf(b));
    this.#forgetOthers(operations, lanes);
    return [...lanes.values()];
  }

  #turnOf(lane: string): number {
    const turn = this.#turns.get(lane) ?? (this.#lastTurn += 1);
    this.#turns.set(lane, turn);
    return turn;
  }

  #forgetOthers(
    operations: ReadonlyMap<string, unknown>,
    lanes: ReadonlyMap<string, unknown>,
  ): void {
    for (const name of this.#turns.keys()) {
      const operation = name.slice(name.indexOf(' ') + 1, name.indexOf('\n'));
      if (operations.has(operation) && !lanes.has(name)) this.#turns.delete(name);
    }
  }

  /** What may be taken of a lane next. */
  #heads<Entry extends LaneEntry>(lane: Lane<Entry>, now: number): Entry | undefined {
    const late = lane.due.find((entry) => isLate(entry, now));
    if (late !== undefined) return late;
    return isFull(lane) || this.#paceEndsAt(lane, now) > now ? undefined : lane.due[0];
  }

  /** When a lane that a limit holds back can go on without anybody's doing. */
  #unblockedAt<Entry extends LaneEntry>(lane: Lane<Entry>, now: number): number {
    const deadlines = lane.due.map(({ record }) => record.deadlineAt ?? Infinity);
    // The end of a lease of a full place is among what is due later.
    const paceEndsAt = isFull(lane) ? Infinity : this.#paceEndsAt(lane, now);
    return Math.min(paceEndsAt, ...deadlines);
  }

  #noteStart({ operation: { rateLimit }, place }: Lane<unknown>, now: number): void {
    if (rateLimit === null) return;
    const starts = this.#starts.get(place.name) ?? [];
    starts.push(now);
    this.#starts.set(place.name, starts.slice(-rateLimit.limit));
  }

  /** When the rate limit lets the next one through. */
  #paceEndsAt({ operation: { rateLimit }, place }: Lane<unknown>, now: number): number {
    if (rateLimit === null) return now;
    const first = this.#starts.get(place.name)?.at(-rateLimit.limit);
    return first === undefined ? now : first + rateLimit.periodMs;
  }
}

function isFull({ operation: { perKey }, place }: Lane<unknown>): boolean {
  return perKey !== null && place.held >= perKey;
}

function expel(entry: LaneEntry): void {
  const { record } = entry;
  if (record.holder === null) return;
  entry.record = { ...record, holder: null, lostLeases: record.lostLeases + 1 };
}

/** Whether its deadline has passed: then it is claimed to be ended, and no handler runs. */
function isLate({ record }: LaneEntry, now: number): boolean {
  return record.deadlineAt !== null && record.deadlineAt <= now;
}

function dueOf({ record }: LaneEntry): number {
  return record.dueAt ?? Infinity;
}
