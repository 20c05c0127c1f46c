import { DurableError } from '../errors.ts';
import type { Clock } from '../clock.ts';
import type { DebounceRule } from '../options.ts';
import type { IntentRecord } from '../state/intent.ts';
import { transition } from '../state/transition.ts';
import { encodeStored } from './encode-stored.ts';
import type { GroupCommit } from './group-commit.ts';
import type { WrittenChange } from './intent-writer.ts';
import type { Submission, Submitting } from './submitter.ts';

/** A submit that puts off the start of those before it. */
export type DebouncedSubmission = Submission & { readonly liveKey: string };

/** What became of it: an intent of its own, that of an earlier submit, or of its own first try. */
export interface Debounced {
  readonly outcome: 'created' | 'debounced' | 'replayed';
  readonly record: IntentRecord;
}

/** What a debouncer needs and tells. */
export interface DebouncerSetup {
  readonly commits: GroupCommit;
  readonly clock: Clock;
  readonly onWritten: (change: WrittenChange) => void;
}

/** Submits with one live key that are answered together: the input of the last of them counts. */
interface Waiting {
  submission: DebouncedSubmission;
  readonly callers: PromiseWithResolvers<Debounced>[];
}

type Prepare = (submission: Submission) => Submitting;

/** How often a submit is tried again after the intent that it met has started. */
const MAX_TRIES = 16;

/**
 * Puts off the start of intents: of submits with one live key, the first stores an intent that waits, and
 * those that follow before it starts replace its input. Those that come while one is being written are
 * written as one, so that a thousand at once are few writes.
 */
export class Debouncer {
  readonly #setup: DebouncerSetup;
  readonly #prepare: Prepare;
  readonly #queues = new Map<string, Waiting[]>();

  constructor(setup: DebouncerSetup, prepare: Prepare) {
    this.#setup = setup;
    this.#prepare = prepare;
  }

  /** Rejects with the store's error; the outcome is then unknown. */
  submit(submission: DebouncedSubmission, rule: DebounceRule): Promise<Debounced> {
    const caller = Promise.withResolvers<Debounced>();
    const queue = this.#queues.get(submission.liveKey);
    if (queue === undefined) {
      const begun = [{ submission, callers: [caller] }];
      this.#queues.set(submission.liveKey, begun);
      void this.#work(submission.liveKey, begun, rule);
      return caller.promise;
    }
    const last = queue.at(-1);
    // One with an idempotency key may be a repetition, so it is looked up by itself.
    const joins = last?.submission.idempotency === null && submission.idempotency === null;
    if (last === undefined || !joins) queue.push({ submission, callers: [caller] });
    else {
      last.submission = submission;
      last.callers.push(caller);
    }
    return caller.promise;
  }

  /** Never rejects: who has submitted is told. */
  async #work(key: string, queue: Waiting[], rule: DebounceRule): Promise<void> {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { callers } = next;
      try {
        const { outcome, record } = await this.#store(next.submission, rule);
        const others = outcome === 'created' ? 'debounced' : outcome;
        for (const [i, { resolve }] of callers.entries())
          resolve({ outcome: i === 0 ? outcome : others, record });
      } catch (error) {
        for (const { reject } of callers) reject(error);
      }
    }
    this.#queues.delete(key);
  }

  async #store(submission: DebouncedSubmission, { ms, maxMs }: DebounceRule): Promise<Debounced> {
    const { idempotency, input } = submission;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const start = { startAfterMs: ms };
      const fresh = this.#prepare({ ...submission, start, latestStartAfterMs: maxMs });
      const stored = await fresh.store();
      if (stored.outcome === 'created') return { outcome: 'created', record: fresh.record };
      const { record } = stored;
      const isOwn = idempotency !== null && record.idempotency?.key === idempotency.key;
      if (isOwn) return { outcome: 'replayed', record };
      const postponed = await this.#postpone(record, input, { ms, maxMs });
      if (postponed !== null) return { outcome: 'debounced', record: postponed };
    }
    const message = 'Too many submits of this kind start at once; try again later.';
    throw new DurableError('overloaded', message, { retryAfterSeconds: 1 });
  }

  /** Replaces the input and puts the start off; null when it has started, or ended before that. */
  async #postpone(
    found: IntentRecord,
    input: string,
    { ms, maxMs }: DebounceRule,
  ): Promise<IntentRecord | null> {
    const { clock, commits, onWritten } = this.#setup;
    let record = found;
    for (;;) {
      const now = clock.now();
      const startAt = Math.max(now, Math.min(now + ms, record.createdAt + maxMs));
      const next = transition(record, { type: 'postpone', startAt }, now);
      if (!next.ok) return null;
      const events = encodeStored(record.id, next.events);
      const expected = { seq: record.seq, lease: null };
      const commit = { expected, record: next.record, events, input };
      const result = await commits.commit(() => commit);
      if (result?.outcome === 'ok') {
        onWritten({ record: next.record, events });
        return next.record;
      }
      if (result?.outcome !== 'moved') return null;
      record = result.record;
    }
  }
}
