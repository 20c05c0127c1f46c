import { isTerminal } from '@durable-api/protocol';
import {
  agentsOf,
  endedIds,
  endNote,
  endOf,
  isDriven,
  type ChildEnd,
} from '../handler/child-notes.ts';
import { gatherMs, openAwaited, pausedOf } from '../handler/paused.ts';
import type { IntentRecord, StoredResponse } from '../state/intent.ts';
import { transition } from '../state/transition.ts';
import type { Found, Store } from '../store/store.ts';
import { encodeStored } from './encode-stored.ts';
import type { GroupCommit } from './group-commit.ts';
import type { WrittenChange } from './intent-writer.ts';
import { WEBHOOK_OPERATION } from '../webhooks/delivery-input.ts';
import type { StoreClock } from './store-clock.ts';

/** The share of an intent's events from which on the delays become longer. */
const SLOW_SHARE = 0.2;
/** The most ends that one commit tells of. */
const MAX_AT_ONCE = 64;
/** How long to wait before what the store could not do is tried again, in ms. */
const RETRY_MS = 200;

/** What is needed to tell parents of their children's ends. */
export interface ChildEndsSetup {
  readonly store: Store;
  readonly commits: GroupCommit;
  readonly clock: StoreClock;
  readonly maxEventCount: number;
  readonly onWritten: (change: WrittenChange) => void;
  readonly onError: (error: unknown) => void;
}

interface Ended {
  readonly operation: string;
  readonly end: ChildEnd;
}

/**
 * Tells parents how their children have ended: by a note, guarded like every change, and an instant at which
 * a handler that waits for it goes on. When this process dies before it has told, the parent finds out by
 * itself: see `whatIsDue`.
 */
export class ChildEnds {
  readonly #setup: ChildEndsSetup;
  readonly #untold = new Map<string, Ended[]>();
  readonly #telling = new Set<Promise<void>>();
  #isOver = false;

  constructor(setup: ChildEndsSetup) {
    this.#setup = setup;
  }

  /** Has the parent told of an intent that has ended; those of one parent that come together, together. */
  tell(child: IntentRecord, result: StoredResponse | undefined): void {
    const { parentIntentId: parentId, operation } = child;
    const end = endOf(child, result, child.updatedAt);
    // The delivery of an intent's end is no child that its handler has started.
    if (parentId === undefined || end === null || operation === WEBHOOK_OPERATION) return;
    const untold = this.#untold.get(parentId);
    if (untold !== undefined) {
      untold.push({ operation, end });
      return;
    }
    this.#untold.set(parentId, [{ operation, end }]);
    const telling = this.#tellAll(parentId).finally(() => this.#telling.delete(telling));
    this.#telling.add(telling);
  }

  /** Resolves when everybody has been told; what the store refuses is left to the parents. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#telling);
  }

  async #tellAll(parentId: string): Promise<void> {
    const { store, clock, onError } = this.#setup;
    const untold = this.#untold.get(parentId) ?? [];
    while (untold.length > 0) {
      try {
        const [found] = await store.get({ ids: [parentId], include: 'notes' });
        if (found === undefined || isTerminal(found.record.status)) break;
        const now = untold.slice(0, MAX_AT_ONCE);
        if (await this.#write(found, now)) untold.splice(0, now.length);
      } catch (error) {
        onError(error);
        if (this.#isOver) break;
        await new Promise<void>((resolve) => void clock.setTimeout(resolve, RETRY_MS));
      }
    }
    this.#untold.delete(parentId);
  }

  /** Resolves to false when the parent has moved on, so that all has to be looked at again. */
  async #write({ record, notes = [] }: Found, ended: readonly Ended[]): Promise<boolean> {
    const { commits, clock, onWritten } = this.#setup;
    const known = endedIds(notes);
    const news = ended.filter(({ end }) => !known.has(end.id));
    if (news.length === 0) return true;
    const now = clock.now();
    const told = news.map(({ end }) => endNote({ ...end, at: Math.max(now, record.updatedAt) }));
    const agents = agentsOf(notes);
    const command = {
      type: 'childrenEnded',
      seq: record.seq,
      ends: news.map(({ operation, end: { id, status } }) => ({
        id,
        operation: agents.get(id) ?? operation,
        status,
      })),
      isDriven: isDriven(notes),
      wakeAt: this.#wakeAt({ record, notes: [...notes, ...told] }, news, now),
      notes: told,
    } as const;
    const next = transition(record, command, now);
    if (!next.ok) return false;
    const events = encodeStored(record.id, next.events);
    const result = await commits.commit(() => ({
      expected: { seq: record.seq, lease: null },
      record: next.record,
      events,
      notes: told,
    }));
    if (result?.outcome === 'missing') return true;
    if (result?.outcome !== 'ok') return false;
    onWritten({ record: next.record, events });
    return true;
  }

  /**
   * When a handler that waits for one of them goes on: at once, or, while many others are under way, after
   * some time in which more of them may end, since it is run from its beginning each time.
   */
  #wakeAt({ record, notes = [] }: Found, news: readonly Ended[], now: number): number | null {
    const paused = pausedOf(notes, record.attempt);
    const awaited = new Set(paused?.children?.map(({ id }) => id));
    if (paused === null || !news.some(({ end }) => awaited.has(end.id))) return null;
    const open = openAwaited(paused, notes).length;
    if (open === 0) return now;
    const slowness = record.seq / (this.#setup.maxEventCount * SLOW_SHARE);
    return now + Math.round(gatherMs(open) * Math.max(1, slowness));
  }
}
