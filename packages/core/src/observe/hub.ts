import { isTerminal } from '@durable-api/protocol';
import type { Timer } from '../clock.ts';
import { DurableError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import type { IntentRecord } from '../state/intent.ts';
import type { Store, StoredEvent } from '../store/store.ts';
import { Observer } from './observer.ts';
import { encodeRetry } from './sse.ts';
import type { StreamSink } from './stream-sink.ts';
import { Topic, type Change } from './topic.ts';

/** How many events one read of a replay takes. */
const REPLAY_PAGE = 256;

/** One observer per request: what it wants to see. */
export interface ObserveRequest {
  readonly record: IntentRecord;
  readonly after: number;
  readonly sink: StreamSink;
  /** True when the intent is not stored yet, so that the record cannot be out of date. */
  readonly isNew?: boolean;
  /** Ends the stream after so long; default: the stream's usual age. */
  readonly maxAgeMs?: number;
}

/** What to wait for. */
export interface WaitRequest {
  readonly record: IntentRecord;
  readonly enough: (change: Change) => boolean;
  readonly timeoutMs: number;
  /** True when the intent is not stored yet, so that the record cannot be out of date. */
  readonly isNew?: boolean;
}

/** A wait under way. */
export interface Wait {
  readonly change: Promise<Change | null>;
  cancel(): void;
}

/** What the hub is made of. */
export type HubSetup = Pick<
  ResolvedOptions,
  'clock' | 'random' | 'observe' | 'limits' | 'logger'
> & {
  readonly store: Store;
};

/**
 * Brings changes to those who observe or wait in this process: an event is framed once, and the same
 * bytes go to all. Costs nothing for an intent that nobody here watches.
 */
export class Hub {
  readonly #setup: HubSetup;
  readonly #topics = new Map<string, Topic>();
  readonly #waits = new Set<() => void>();
  #observerCount = 0;
  #timer: Timer | null = null;
  #leaving = false;

  constructor(setup: HubSetup) {
    this.#setup = setup;
  }

  get observerCount(): number {
    return this.#observerCount;
  }

  /** Whether streams and waits end, because the process stops. */
  get isLeaving(): boolean {
    return this.#leaving;
  }

  /** Passes on a change that this process wrote. */
  publish(change: Change, events: readonly StoredEvent[]): void {
    this.#topics.get(change.record.id)?.advance(change, events);
  }

  /** Reads what others wrote: of these intents, or of all that are watched here. */
  async refresh(ids: readonly string[] | null): Promise<void> {
    const known = ids === null ? [...this.#topics.keys()] : ids;
    const topics = known.map((id) => this.#topics.get(id)).filter((topic) => topic !== undefined);
    if (topics.length === 0) return;
    const { store } = this.#setup;
    const found = await store.get({ ids: topics.map((topic) => topic.id) });
    const behind = topics.flatMap((topic, i) => {
      const record = found[i]?.record;
      return record !== undefined && record.seq > topic.lastSeq ? [{ topic, record }] : [];
    });
    if (behind.length === 0) return;
    const of = behind.map(({ topic }) => ({ id: topic.id, after: topic.lastSeq }));
    const events = await store.events({ of, limit: REPLAY_PAGE });
    for (const [i, { topic, record }] of behind.entries()) {
      topic.advance(
        { record },
        (events[i] ?? []).filter((event) => event.seq <= record.seq),
      );
    }
  }

  /** Streams an intent to `sink` until it ends, the stream is too old, or the client leaves. */
  observe(request: ObserveRequest): void {
    const { record, sink, after } = request;
    const { limits, clock, logger } = this.#setup;
    const topic = this.#topic(record, request.isNew === true);
    const full =
      this.#observerCount >= limits.maxObservers ||
      topic.observers.size >= limits.maxObserversPerIntent;
    if (full || this.#leaving) {
      this.#forget(topic);
      sink.end(encodeRetry(this.retryMs()));
      return;
    }
    const observer = new Observer(topic, {
      sink,
      after: Math.min(after, topic.lastSeq),
      expiresAt: clock.now() + (request.maxAgeMs ?? this.#ageMs()),
      retryMs: this.retryMs(),
      now: () => clock.now(),
      read: (cursor) => this.#read(record.id, cursor),
      onEnd: (ended) => this.#remove(ended),
      onError: (error) => logger.warn({ err: error, intentId: record.id }, 'A replay failed'),
    });
    topic.observers.add(observer);
    this.#observerCount += 1;
    this.#watchAge(request.maxAgeMs, observer);
    observer.start();
  }

  /**
   * Waits for the first change of the intent that `enough` accepts; null after `timeoutMs` or when
   * cancelled. Listens from the call on.
   */
  waitFor(request: WaitRequest): Wait {
    const { record, enough, timeoutMs } = request;
    const topic = this.#topic(record, request.isNew === true);
    const { promise, resolve } = Promise.withResolvers<Change | null>();
    const finish = (change: Change | null): void => {
      timer.cancel();
      topic.waiters.delete(waiter);
      this.#waits.delete(cancel);
      this.#forget(topic);
      resolve(change);
    };
    const waiter = (change: Change): void => {
      if (enough(change)) finish(change);
    };
    const cancel = (): void => finish(null);
    const timer = this.#setup.clock.setTimeout(cancel, timeoutMs);
    topic.waiters.add(waiter);
    this.#waits.add(cancel);
    if (this.#leaving) cancel();
    return { change: promise, cancel };
  }

  /** Ends all streams and waits, and lets none begin; each client is told when to come back. */
  leave(): void {
    this.#leaving = true;
    for (const topic of this.#topics.values()) {
      for (const observer of topic.observers) observer.leave(this.retryMs());
    }
    for (const cancel of this.#waits) cancel();
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** When a client shall reconnect: 1 to 3 s, so that many do not come back at once. */
  retryMs(): number {
    return 1_000 + Math.round(this.#setup.random() * 2_000);
  }

  #topic(record: IntentRecord, isNew: boolean): Topic {
    const known = this.#topics.get(record.id);
    const topic = known ?? new Topic(record.id, record.seq, isTerminal(record.status));
    this.#topics.set(record.id, topic);
    // What was written between the reading of the record and now passed by unseen.
    const mayLack = known === undefined ? !isNew && !topic.ended : record.seq > known.lastSeq;
    if (mayLack) this.#refreshSoon(record.id);
    return topic;
  }

  #refreshSoon(id: string): void {
    this.refresh([id]).catch((error: unknown) => {
      this.#setup.logger.warn({ err: error, intentId: id }, 'An observed intent could not be read');
    });
  }

  #remove(observer: Observer): void {
    if (!observer.topic.observers.delete(observer)) return;
    this.#observerCount -= 1;
    this.#forget(observer.topic);
  }

  #forget(topic: Topic): void {
    if (topic.isIdle && this.#topics.get(topic.id) === topic) this.#topics.delete(topic.id);
  }

  async #read(id: string, after: number): Promise<readonly StoredEvent[]> {
    const [events] = await this.#setup.store.events({ of: [{ id, after }], limit: REPLAY_PAGE });
    if (events === undefined) throw new DurableError('store_unavailable', 'No events were read.');
    return events;
  }

  #ageMs(): number {
    return this.#setup.observe.maxAgeMs * (0.8 + 0.4 * this.#setup.random());
  }

  #watchAge(ageMs: number | undefined, observer: Observer): void {
    const { clock, observe } = this.#setup;
    if (ageMs !== undefined) {
      clock.setTimeout(() => observer.leave(this.retryMs()), ageMs);
    }
    this.#timer ??= clock.setTimeout(() => this.#tick(), observe.heartbeatMs / 3);
  }

  #tick(): void {
    const { clock, observe } = this.#setup;
    this.#timer = null;
    const now = clock.now();
    for (const topic of this.#topics.values()) {
      for (const observer of topic.observers) {
        observer.tick(now, (observe.heartbeatMs * 2) / 3, observe.stalledMs);
      }
    }
    if (this.#observerCount > 0) {
      this.#timer = clock.setTimeout(() => this.#tick(), observe.heartbeatMs / 3);
    }
  }
}
