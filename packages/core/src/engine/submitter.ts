import { DurableError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import type { IntentRecord } from '../state/intent.ts';
import { createIntent, type NewIntent } from '../state/submit.ts';
import type { SubmitRequest } from '../store/store.ts';
import type { AttemptPool } from './attempt-pool.ts';
import { encodeStored } from './encode-stored.ts';
import type { GroupCommit, Submitted } from './group-commit.ts';
import { newId } from './new-id.ts';
import type { Operation } from './operation.ts';
import type { StoreClock } from './store-clock.ts';
import { withTimeout } from './with-timeout.ts';

/** A submit as the engine takes it: what is not the engine's to decide. */
export type Submission = Omit<NewIntent, 'id' | 'deadlineAt' | 'operation'> & {
  readonly operation: Operation;
  readonly input: string;
  /** The transaction of the caller's own that the submit is a part of. */
  readonly transaction?: unknown;
};

/** An intent on its way into the store. */
export interface Submitting {
  /** The record as it will be stored, unless an earlier intent has its idempotency key. */
  readonly record: IntentRecord;
  /**
   * Stores it; must be called. Rejects with a `DurableError` when the store fails or takes too long.
   */
  store(): Promise<Submitted>;
}

/** What a submitter needs and tells. */
export interface SubmitterSetup {
  readonly commits: GroupCommit;
  readonly pool: AttemptPool;
  readonly clock: StoreClock;
  readonly options: ResolvedOptions;
  readonly holder: string;
  /** Resolves when the store is open. */
  readonly ready: () => Promise<void>;
  /** Whether this process starts attempts. */
  readonly works: () => boolean;
  readonly onStored: (request: SubmitRequest) => void;
  /** An intent that is not worked on here is due, or may be. */
  readonly onDue: (dueAt: number) => void;
}

/** Stores intents and, while there is room, starts them in the same write. */
export class Submitter {
  readonly #setup: SubmitterSetup;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(setup: SubmitterSetup) {
    this.#setup = setup;
  }

  /** Prepares an intent. Nothing is stored yet, so that one can begin to listen first. */
  prepare(submission: Submission): Submitting {
    const { pool, clock, options, holder, works } = this.#setup;
    if (this.#underWay.size >= options.limits.maxPendingSubmits) {
      const message = 'Too many submits wait for the store; try again later.';
      throw new DurableError('overloaded', message, { retryAfterSeconds: 1 });
    }
    const now = clock.now();
    const { input, operation, transaction, ...intent } = submission;
    const { deadlineMs } = operation.options;
    // What may be rolled back yet must not be started.
    const isOwn = transaction === undefined;
    const isEager = isOwn && works() && pool.room > 0 && (intent.startAt ?? now) <= now;
    const { record, events } = createIntent(
      {
        ...intent,
        id: newId(now),
        operation: operation.name,
        deadlineAt: deadlineMs === null ? null : now + deadlineMs,
      },
      now,
      isEager ? { holder, until: now + options.leaseMs } : null,
    );
    const request = { record, events: encodeStored(record.id, events), input };
    // From now on, so that many submits of one moment do not all take the last place.
    const unreserve = isEager ? pool.reserve(1) : null;
    return {
      record,
      store: () => {
        const stored = isOwn
          ? this.#submit(request, operation, unreserve)
          : this.#submitWithin(transaction, request);
        this.#track(stored);
        return withTimeout(stored, options.storeTimeoutMs, options.clock);
      },
    };
  }

  /** Resolves when every submit that has begun is dealt with. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  async #submit(
    request: SubmitRequest,
    operation: Operation,
    unreserve: (() => void) | null,
  ): Promise<Submitted> {
    const { commits, pool, clock, ready, works, onStored, onDue } = this.#setup;
    const { record } = request;
    try {
      await ready();
      const result = await commits.submit(request);
      unreserve?.();
      if (result.outcome === 'exists') return result;
      if (unreserve === null) onDue(record.dueAt ?? clock.now());
      else if (works()) pool.take(operation, record, request.input, true);
      else await pool.giveBack([record]);
      onStored(request);
      return result;
    } catch (error) {
      // It may be stored all the same, and then nobody else has been told.
      onDue(record.dueAt ?? clock.now());
      throw error;
    } finally {
      unreserve?.();
    }
  }

  /** Nobody is told of it here: it is the store's to do so when the transaction commits. */
  async #submitWithin(transaction: unknown, request: SubmitRequest): Promise<SubmitResult> {
    const { store } = this.#setup.options;
    if (store.capabilities.transactions !== true) {
      const message =
        'This store cannot take part in a transaction of yours. Leave `transaction` out.';
      throw new DurableError('options_invalid', message);
    }
    await this.#setup.ready();
    const [result] = await store.submit([request], transaction);
    if (result === undefined) throw new Error('The store left out a result.');
    return result;
  }

  #track(work: Promise<unknown>): void {
    this.#underWay.add(work);
    void work.catch(() => {}).then(() => this.#underWay.delete(work));
  }
}
