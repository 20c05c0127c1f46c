import { isTerminal, type Status } from '@durable-api/protocol';
import type { IntentRecord, StoredResponse } from '../state/intent.ts';
import { splitOperation } from '../state/stored-operation.ts';
import { leaseDueAt } from './lease-due.ts';
import { MemoryLanes } from './memory-lanes.ts';
import type {
  ClaimRequest,
  ClaimResult,
  CommitRequest,
  CommitResult,
  DuePosition,
  Found,
  ListRequest,
  Store,
  StoredEvent,
  SubmitRequest,
  SubmitResult,
  WatchHint,
} from './store.ts';

/** An intent in memory with all that belongs to it. */
interface Entry {
  record: IntentRecord;
  /** The events of each commit. */
  readonly commits: (readonly StoredEvent[])[];
  input: string;
  result: StoredResponse | undefined;
  notes: Map<string, string> | null;
}

/** What memory stores share when they are opened on the same data. */
export interface MemoryData {
  readonly entries: Map<string, Entry>;
  readonly byKey: Map<string, string>;
  readonly byLiveKey: Map<string, string>;
  readonly live: Map<string, Entry>;
  readonly lanes: MemoryLanes;
  readonly listeners: Set<(from: object, hint: WatchHint) => void>;
}

/** Data for one or more memory stores. */
export function memoryData(): MemoryData {
  return {
    entries: new Map(),
    byKey: new Map(),
    byLiveKey: new Map(),
    live: new Map(),
    lanes: new MemoryLanes(),
    listeners: new Set(),
  };
}

/**
 * The reference store: everything in the memory of this process, nothing survives it. For tests, and
 * for APIs that want the lifecycle but not the durability. Stores on the same `data` see each other
 * like processes on one database do.
 */
export function memoryStore(data: MemoryData = memoryData()): Store {
  const { entries, byKey, byLiveKey, live, lanes, listeners } = data;
  const self = {};
  const watches = new Set<(from: object, hint: WatchHint) => void>();

  const announce = (ids: readonly string[]): void => {
    if (ids.length > 0) for (const listener of listeners) listener(self, { ids });
  };

  function submitOne(request: SubmitRequest): SubmitResult {
    const { record } = request;
    const { liveKey } = record;
    const key = record.idempotency?.key;
    const earlier =
      entries.get((key === undefined ? undefined : byKey.get(key)) ?? record.id) ??
      (liveKey === undefined ? undefined : entries.get(byLiveKey.get(liveKey) ?? ''));
    if (earlier !== undefined) return { outcome: 'exists', record: earlier.record };
    const commits = [[...request.events]];
    const entry = { record, commits, input: request.input, result: undefined, notes: null };
    entries.set(record.id, entry);
    live.set(record.id, entry);
    if (key !== undefined) byKey.set(key, record.id);
    if (liveKey !== undefined) byLiveKey.set(liveKey, record.id);
    return { outcome: 'created' };
  }

  function take(entry: Entry, { now, holder, leaseMs }: ClaimRequest): void {
    const { record } = entry;
    entry.record = {
      ...record,
      lease: record.lease + 1,
      holder,
      lostLeases: record.lostLeases + (record.holder === null ? 0 : 1),
      dueAt: leaseDueAt(now, leaseMs, record.deadlineAt),
    };
  }

  function claim(request: ClaimRequest): ClaimResult {
    const { now, limit } = request;
    const turns = lanes.claim(live.values(), request, (entry) => take(entry, request));
    const operations = new Set(request.operations);
    const candidates = [...live.values()].filter(
      ({ record }) => record.key === undefined && operations.has(record.operation),
    );
    const dueOf = (entry: Entry): number => entry.record.dueAt ?? Infinity;
    const due = candidates
      .filter((entry) => dueOf(entry) <= now)
      .sort((a, b) => dueOf(a) - dueOf(b))
      .slice(0, limit - turns.taken.length);
    for (const entry of due) take(entry, request);
    const claimed = [...turns.taken, ...due].map(({ record, input }) => ({ record, input }));
    const next = candidates.reduce(
      (least, entry) => Math.min(least, dueOf(entry)),
      turns.nextDueAt,
    );
    const nextDueAt = next === Infinity ? null : next;
    const { isHeldBack } = turns;
    return { claimed, nextDueAt, now, ...(request.keyed !== undefined && { isHeldBack }) };
  }

  function commitOne(request: CommitRequest): CommitResult {
    const entry = entries.get(request.record.id);
    if (entry === undefined) return { outcome: 'missing' };
    const { record } = entry;
    const { expected } = request;
    if (expected.lease !== null && (record.lease !== expected.lease || record.holder === null)) {
      return { outcome: 'stale' };
    }
    if (record.seq !== expected.seq) return { outcome: 'moved', record };
    const next = request.record;
    const { lease, holder, lostLeases, dueAt } = record;
    const released = next.holder === null;
    entry.record = released
      ? { ...next, lease, lostLeases }
      : { ...next, lease, holder, lostLeases, dueAt };
    entry.commits.push([...request.events]);
    const { result, notes, input, freesLiveKey } = request;
    if (input !== undefined) entry.input = input;
    if (freesLiveKey !== undefined) byLiveKey.delete(freesLiveKey);
    if (notes !== undefined) {
      entry.notes ??= new Map();
      for (const { key, value } of notes) entry.notes.set(key, value);
    }
    // Handlers may write to their buffers again after they have answered.
    if (result !== undefined) entry.result = { ...result, body: new Uint8Array(result.body) };
    if (isTerminal(next.status)) live.delete(next.id);
    return { outcome: 'ok' };
  }

  return {
    capabilities: { durability: 'none', shared: false, watches: true, clock: 'caller' },
    async migrate() {},
    async submit(batch) {
      const results = batch.map(submitOne);
      announce(batch.filter((_, i) => results[i]?.outcome === 'created').map((r) => r.record.id));
      return results;
    },
    async claim(request) {
      return claim(request);
    },
    async renew({ now, leaseMs, leases }) {
      return leases.map(({ id, lease, release }) => {
        const entry = live.get(id);
        if (entry === undefined || entry.record.lease !== lease || entry.record.holder === null) {
          return { held: false };
        }
        if (release === true) {
          entry.record = { ...entry.record, holder: null, dueAt: now };
          announce([id]);
        } else {
          const dueAt = leaseDueAt(now, leaseMs, entry.record.deadlineAt);
          entry.record = { ...entry.record, dueAt };
        }
        const { seq, cancelRequestedAt } = entry.record;
        return { held: true, seq, cancelRequested: cancelRequestedAt !== null };
      });
    },
    async commit(batch) {
      const results = batch.map(commitOne);
      announce(batch.filter((_, i) => results[i]?.outcome === 'ok').map((r) => r.record.id));
      return results;
    },
    async get({ ids, include }) {
      return ids.map((id): Found | undefined => {
        const entry = entries.get(id);
        if (entry === undefined) return undefined;
        const { record, input, result, notes } = entry;
        if (include === 'input') return { record, input };
        if (include === 'notes') {
          return { record, notes: Array.from(notes ?? [], ([key, value]) => ({ key, value })) };
        }
        return include === 'result' && result !== undefined ? { record, result } : { record };
      });
    },
    async events({ of, limit }) {
      return of.map(({ id, after }) => eventsAfter(entries.get(id)?.commits ?? [], after, limit));
    },
    async list({ owner, operation, statuses, before, due, limit }) {
      if (due !== undefined)
        return listDue(
          [...live.values()].map((entry) => entry.record),
          due,
          limit,
        );
      return [...entries.values()]
        .map((entry) => entry.record)
        .filter((r) => owner === undefined || r.owner === owner)
        .filter((r) => operation === undefined || isOf(r, operation))
        .filter((r) => statuses === undefined || statuses.includes(r.status))
        .filter((r) => before === undefined || r.id < before)
        .sort((a, b) => (a.id < b.id ? 1 : -1))
        .slice(0, limit);
    },
    watch(listener) {
      const foreign = (from: object, hint: WatchHint): void => {
        if (from !== self) queueMicrotask(() => listener(hint));
      };
      listeners.add(foreign);
      watches.add(foreign);
      return () => listeners.delete(foreign);
    },
    async prune({ endedBefore, keyedBefore, limit }) {
      const old = [...entries.values()]
        .map((entry) => entry.record)
        .filter((r) => isTerminal(r.status) && r.updatedAt < endedBefore)
        .filter((r) => r.idempotency === null || r.createdAt < keyedBefore)
        .slice(0, limit);
      for (const record of old) {
        entries.delete(record.id);
        if (record.idempotency !== null) byKey.delete(record.idempotency.key);
      }
      return old.length;
    },
    async stats() {
      const byStatus: Partial<Record<Status, number>> = {};
      for (const { record } of entries.values()) {
        byStatus[record.status] = (byStatus[record.status] ?? 0) + 1;
      }
      return { byStatus };
    },
    async close() {
      for (const watch of watches) listeners.delete(watch);
    },
  };
}

function listDue(
  live: readonly IntentRecord[],
  { except, after }: NonNullable<ListRequest['due']>,
  limit: number,
): IntentRecord[] {
  const order = (a: DuePosition, b: DuePosition): number =>
    a.dueAt - b.dueAt || (a.id < b.id ? -1 : a.id === b.id ? 0 : 1);
  const placeOf = ({ dueAt, id }: IntentRecord): DuePosition => ({ dueAt: dueAt ?? Infinity, id });
  return live
    .filter(({ operation }) => !except.includes(operation))
    .filter((record) => after === null || order(placeOf(record), after) > 0)
    .sort((a, b) => order(placeOf(a), placeOf(b)))
    .slice(0, limit);
}

/** Whether a record as it is stored is of an operation, in whatever version. */
function isOf(record: IntentRecord, operation: string): boolean {
  return splitOperation(record.operation).operation === operation;
}

function eventsAfter(
  commits: readonly (readonly StoredEvent[])[],
  after: number,
  limit: number,
): readonly StoredEvent[] {
  const events: StoredEvent[] = [];
  for (const commit of commits) {
    if (events.length >= limit) break;
    events.push(...commit.filter(({ seq }) => seq > after));
  }
  return events;
}
