import type { Timer } from '../clock.ts';
import { DurableError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import type { IntentRecord } from '../state/intent.ts';
import type { Store, StoredEvent } from '../store/store.ts';
import { Observer, type ObserverHost } from './observer.ts';
import { SSE_FORM } from './sse.ts';
import type { StreamForm } from './stream-form.ts';
import type { StreamSink } from './stream-sink.ts';
import type { Change } from './topic.ts';
import { Topics } from './topics.ts';

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
  /** Default: all events, as `text/event-stream`. */
  readonly form?: StreamForm;
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
  /** Longest time between two looks at the store; null when it reports what others write. */
  readonly pollMs: number | null;
};

/**
 * Brings changes to those who observe or wait in this process: an event is framed once, and the same
 * bytes go to all. Costs nothing for an intent that nobody here watches.
 */
export class Hub {
  readonly #setup: HubSetup;
  readonly #topics: Topics;
  readonly #host: ObserverHost;
  /** The timers of observers that asked for another age than the usual one. */
  readonly #expiries = new Map<Observer, Timer>();
  #observerCount = 0;
  #timer: Timer | null = null;
  #leaving = false;

  constructor(setup: HubSetup) {
    this.#setup = setup;
    this.#topics = new Topics(setup);
    this.#host = {
      now: () => setup.clock.now(),
      retryMs: () => this.retryMs(),
      read: (id, after) => this.#read(id, after),
      ended: (observer) => this.#remove(observer),
      failed: (error, intentId) => setup.logger.warn({ err: error, intentId }, 'A stream failed'),
    };
  }

  get observerCount(): number {
    return this.#observerCount;
  }

  /** Passes on a change that this process wrote. */
  publish(change: Change, events: readonly StoredEvent[]): void {
    this.#topics.get(change.record.id)?.advance(change, events);
  }

  /**
   * Reads what others wrote: of these intents, or of all that are watched here. Never rejects: a look
   * that failed is repeated.
   */
  refresh(ids: readonly string[] | null): Promise<void> {
    return this.#topics.refresh(ids);
  }

  /**
   * Keeps what happens to an intent that is about to be stored, with these first events, for a stream that
   * begins then. Returns what ends that; call it when the stream has begun or will not.
   */
  hold(record: IntentRecord, events: readonly StoredEvent[]): () => void {
    const topic = this.#topics.open(record, true);
    topic.holds += 1;
    topic.prime(events);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      topic.holds -= 1;
      this.#topics.forget(topic);
    };
  }

  /** Streams an intent to `sink` until it ends, the stream is too old, or the client leaves. */
  observe(request: ObserveRequest): void {
    const { record, sink, after, form = SSE_FORM } = request;
    if (this.#leaving || this.#isFull(record.id)) {
      const farewell = form.leaving(this.retryMs());
      if (farewell === null) sink.destroy();
      else sink.end(farewell);
      return;
    }
    const topic = this.#topics.open(record, request.isNew === true);
    const usualAgeMs = this.#ageMs();
    const ageMs = Math.min(request.maxAgeMs ?? usualAgeMs, usualAgeMs);
    const observer = new Observer(topic, this.#host, {
      sink,
      form,
      // What the client has seen elsewhere may not have come here yet.
      after: Math.min(after, Math.max(record.seq, topic.lastSeq)),
      expiresAt: this.#setup.clock.now() + ageMs,
    });
    // The usual age is seen to by the heartbeat's timer; only who asked for another has one of its own.
    if (ageMs < usualAgeMs) {
      this.#expiries.set(
        observer,
        this.#setup.clock.setTimeout(() => observer.leave(), ageMs),
      );
    }
    topic.observers.add(observer);
    this.#observerCount += 1;
    this.#heartbeat();
    observer.start();
  }

  /**
   * Waits for the first change of the intent that `enough` accepts; null after `timeoutMs` or when
   * cancelled. Listens from the call on.
   */
  waitFor(request: WaitRequest): Wait {
    const { record, enough, timeoutMs } = request;
    const topic = this.#topics.open(record, request.isNew === true);
    const { promise, resolve } = Promise.withResolvers<Change | null>();
    const finish = (change: Change | null): void => {
      timer.cancel();
      topic.waiters.delete(waiter);
      this.#topics.forget(topic);
      resolve(change);
    };
    const waiter = (change: Change | null): void => {
      if (change === null || enough(change)) finish(change);
    };
    const timer = this.#setup.clock.setTimeout(() => finish(null), timeoutMs);
    topic.waiters.add(waiter);
    // Others here may have been told of it before this call.
    waiter({ record: topic.record });
    return { change: promise, cancel: () => finish(null) };
  }

  /** Ends all waits; who waited is answered with what is known. */
  endWaits(): void {
    for (const topic of this.#topics.all()) {
      for (const waiter of topic.waiters) waiter(null);
    }
  }

  /** Ends all streams and lets none begin; each client is told when to come back. */
  leave(): void {
    this.#leaving = true;
    for (const topic of this.#topics.all()) {
      for (const observer of topic.observers) observer.leave();
    }
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** When a client shall reconnect: 1 to 3 s, so that many do not come back at once. */
  retryMs(): number {
    return 1_000 + Math.round(this.#setup.random() * 2_000);
  }

  #isFull(id: string): boolean {
    const { maxObservers, maxObserversPerIntent } = this.#setup.limits;
    const count = this.#topics.get(id)?.observers.size ?? 0;
    return this.#observerCount >= maxObservers || count >= maxObserversPerIntent;
  }

  #remove(observer: Observer): void {
    if (!observer.topic.observers.delete(observer)) return;
    this.#expiries.get(observer)?.cancel();
    this.#expiries.delete(observer);
    this.#observerCount -= 1;
    this.#topics.forget(observer.topic);
  }

  async #read(id: string, after: number): Promise<readonly StoredEvent[]> {
    const [events] = await this.#setup.store.events({ of: [{ id, after }], limit: REPLAY_PAGE });
    if (events === undefined) throw new DurableError('store_unavailable', 'No events were read.');
    return events;
  }

  #ageMs(): number {
    return this.#setup.observe.maxAgeMs * (0.8 + 0.4 * this.#setup.random());
  }

  #heartbeat(): void {
    const { clock, observe } = this.#setup;
    this.#timer ??= clock.setTimeout(() => this.#tick(), observe.heartbeatMs / 3);
  }

  #tick(): void {
    const { clock, observe } = this.#setup;
    this.#timer = null;
    const now = clock.now();
    for (const topic of this.#topics.all()) {
      for (const observer of topic.observers) {
        observer.tick(now, (observe.heartbeatMs * 2) / 3, observe.stalledMs);
      }
    }
    if (this.#observerCount > 0) this.#heartbeat();
  }
}
