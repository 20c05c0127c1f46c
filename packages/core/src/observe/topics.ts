import type { Clock, Timer } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { IntentRecord } from '../state/intent.ts';
import type { Store } from '../store/store.ts';
import { Topic } from './topic.ts';

/** What topics need. */
export interface TopicsSetup {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Longest time between two looks at the store; null when it reports what others write. */
  readonly pollMs: number | null;
}

/** The most events per intent that one look reads; who lacks more reads on by itself. */
const LOOK_LIMIT = 256;
/** How long to wait after a look that failed, in ms. */
const RETRY_MS = 1_000;

/** The intents that are watched in this process, and the looks at the store that keep them up to date. */
export class Topics {
  readonly #setup: TopicsSetup;
  readonly #topics = new Map<string, Topic>();
  #poll: Timer | null = null;
  #retry: Timer | null = null;

  constructor(setup: TopicsSetup) {
    this.#setup = setup;
  }

  get(id: string): Topic | undefined {
    return this.#topics.get(id);
  }

  all(): Iterable<Topic> {
    return this.#topics.values();
  }

  /** The topic of an intent; `isNew` when it is not stored yet, so that the record is the latest. */
  open(record: IntentRecord, isNew: boolean): Topic {
    const known = this.#topics.get(record.id);
    const topic = known ?? new Topic(record);
    this.#topics.set(record.id, topic);
    this.#pollSoon();
    // What was written between the reading of the record and now passed by unseen.
    const mayLack = known === undefined ? !isNew && !topic.ended : record.seq > known.lastSeq;
    if (mayLack) void this.refresh([record.id]);
    return topic;
  }

  /** Lets go of a topic that nobody needs any more. */
  forget(topic: Topic): void {
    if (!topic.isIdle || this.#topics.get(topic.id) !== topic) return;
    this.#topics.delete(topic.id);
    if (this.#topics.size > 0) return;
    this.#poll?.cancel();
    this.#retry?.cancel();
    this.#poll = this.#retry = null;
  }

  /**
   * Reads what others wrote: of these intents, or of all that are watched here. Never rejects: a look
   * that failed is repeated.
   */
  async refresh(ids: readonly string[] | null): Promise<void> {
    const known = ids ?? [...this.#topics.keys()];
    const topics = known.map((id) => this.#topics.get(id)).filter((topic) => topic !== undefined);
    if (topics.length === 0) return;
    try {
      await this.#look(topics);
    } catch (error) {
      this.#setup.logger.warn({ err: error }, 'Observed intents could not be read; trying again');
      this.#retry ??= this.#setup.clock.setTimeout(() => {
        this.#retry = null;
        void this.refresh(null);
      }, RETRY_MS);
    }
  }

  async #look(topics: readonly Topic[]): Promise<void> {
    const { store } = this.#setup;
    const found = await store.get({ ids: topics.map((topic) => topic.id) });
    const behind = topics.flatMap((topic, i) => {
      const record = found[i]?.record;
      return record !== undefined && record.seq > topic.lastSeq ? [{ topic, record }] : [];
    });
    if (behind.length === 0) return;
    const of = behind.map(({ topic }) => ({ id: topic.id, after: topic.lastSeq }));
    const events = await store.events({ of, limit: LOOK_LIMIT });
    for (const [i, { topic, record }] of behind.entries()) {
      topic.advance(
        { record },
        (events[i] ?? []).filter((event) => event.seq <= record.seq),
      );
    }
  }

  #pollSoon(): void {
    const { clock, pollMs } = this.#setup;
    if (pollMs === null) return;
    this.#poll ??= clock.setTimeout(() => {
      this.#poll = null;
      if (this.#topics.size === 0) return;
      this.#pollSoon();
      void this.refresh(null);
    }, pollMs);
  }
}
