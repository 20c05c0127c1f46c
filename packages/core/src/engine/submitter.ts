import { FOREVER_AT } from '@durable-api/protocol';
import { NO_GATEWAY } from '../agents/agents.ts';
import { DurableError } from '../errors.ts';
import type { DebounceRule, ResolvedOptions } from '../options.ts';
import { startInstant, type StartWish } from '../intents/start-at.ts';
import type { IntentRecord } from '../state/intent.ts';
import { placeId } from '../state/place-id.ts';
import { createIntent, type NewIntent } from '../state/submit.ts';
import type { StoredEvent, SubmitRequest } from '../store/store.ts';
import type { AttemptPool } from './attempt-pool.ts';
import { Debouncer, type Debounced, type DebouncedSubmission } from './debouncer.ts';
import { encodeStored } from './encode-stored.ts';
import type { GroupCommit, Submitted } from './group-commit.ts';
import type { WrittenChange } from './intent-writer.ts';
import { IdSource } from './new-id.ts';
import type { Operation } from './operation.ts';
import type { StoreClock } from './store-clock.ts';
import { withTimeout } from './with-timeout.ts';

/** A submit as the engine takes it: what is not the engine's to decide. */
export type Submission = Omit<NewIntent, 'id' | 'deadlineAt' | 'operation' | 'startAt'> & {
  readonly operation: Operation;
  readonly input: string;
  /** Default: a new one. */
  readonly id?: string;
  /** When it is to start; a delay counts from the instant at which the intent is made. Default: at once. */
  readonly start?: StartWish;
  /** The latest end; the operation's own deadline holds too. */
  readonly deadlineAt?: number;
  /** How long the start can be put off at most; the deadline counts from then. */
  readonly latestStartAfterMs?: number;
  /** The transaction of the caller's own that the submit is a part of. */
  readonly transaction?: unknown;
};

/** An intent on its way into the store. */
export interface Submitting {
  /** The record as it will be stored, unless an earlier intent has its idempotency key. */
  readonly record: IntentRecord;
  /** The events that are stored with it. */
  readonly events: readonly StoredEvent[];
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
  /** Whether what this operation needs is there in this process. */
  readonly canRun: (operation: Operation) => boolean;
  readonly onWritten: (change: WrittenChange) => void;
  readonly onStored: (request: SubmitRequest) => void;
  /** An intent that is not worked on here is due, or may be. */
  readonly onDue: (dueAt: number) => void;
}

/** Stores intents and, while there is room, starts them in the same write. */
export class Submitter {
  readonly #setup: SubmitterSetup;
  readonly #ids = new IdSource();
  readonly #debouncer: Debouncer;
  #underWay = 0;
  #onIdle: PromiseWithResolvers<void> | null = null;

  constructor(setup: SubmitterSetup) {
    this.#setup = setup;
    this.#debouncer = new Debouncer(setup, (submission) => this.prepare(submission));
  }

  /**
   * Prepares an intent. Nothing is stored yet, so that one can begin to listen first.
   * @throws DurableError `overloaded`, `start_invalid`, `handler_unavailable`
   */
  prepare(submission: Submission): Submitting {
    const { pool, clock, options, holder, works } = this.#setup;
    if (this.#underWay >= options.limits.maxPendingSubmits) {
      const message = 'Too many submits wait for the store; try again later.';
      throw new DurableError('overloaded', message, { retryAfterSeconds: 1 });
    }
    this.#checkCanRun(submission.operation);
    const now = clock.now();
    const { input, operation, transaction, start, latestStartAfterMs, deadlineAt, ...intent } =
      submission;
    const { deadlineMs, version } = operation.options;
    const startAt = Math.max(now, (start && startInstant(start, now)) ?? now);
    const lastStartAt = latestStartAfterMs === undefined ? startAt : now + latestStartAfterMs;
    // What may be rolled back yet must not be started.
    const isOwn = transaction === undefined;
    const { lanes } = operation.options;
    // Whose turn it is where there are lanes is for a claim to say.
    const mayStart = lanes === null && pool.room > 0 && pool.limits.roomOf(operation) > 0;
    const isEager = isOwn && works() && mayStart && startAt === now;
    const id = intent.id ?? this.#ids.next(now);
    const { key = '', priority = 0, ...others } = intent;
    const { record, events } = createIntent(
      {
        ...others,
        id: lanes === null ? id : placeId(id, operation.name, key),
        ...(lanes !== null && { key, priority }),
        operation: operation.name,
        ...(version !== undefined && { version }),
        deadlineAt: earliest(deadlineMs === null ? null : lastStartAt + deadlineMs, deadlineAt),
        startAt,
      },
      now,
      isEager ? { holder, until: now + options.leaseMs } : null,
    );
    const request = { record, events: encodeStored(record.id, events), input };
    // From now on, so that many submits of one moment do not all take the last place.
    const unreserve = isEager ? pool.reserveFor(operation) : null;
    return {
      record,
      events: request.events,
      store: () => {
        const stored = isOwn
          ? this.#submit(request, operation, unreserve)
          : this.#submitWithin(transaction, request);
        this.#underWay += 1;
        stored.then(this.#done, this.#done);
        return withTimeout(stored, options.storeTimeoutMs, options.clock);
      },
    };
  }

  /** A process that works and cannot work on this is set up wrongly; one that only submits may be right. */
  #checkCanRun(operation: Operation): void {
    const { works, canRun } = this.#setup;
    if (!works() || canRun(operation)) return;
    const message = `Operation "${operation.name}" hands its work to an agent, and ${NO_GATEWAY}`;
    throw new DurableError('handler_unavailable', message);
  }

  /** An id that no intent has yet, for an intent of this operation with this key. */
  newId(operation: Operation | undefined, key = ''): string {
    const id = this.#ids.next(this.#setup.clock.now());
    const isPlaced = operation !== undefined && operation.options.lanes !== null;
    return isPlaced ? placeId(id, operation.name, key) : id;
  }

  /** Stores one whose start submits of its live key put off. Rejects with a `DurableError`. */
  debounce(submission: DebouncedSubmission, rule: DebounceRule): Promise<Debounced> {
    const { storeTimeoutMs, clock } = this.#setup.options;
    return withTimeout(this.#debouncer.submit(submission, rule), storeTimeoutMs, clock);
  }

  /** Resolves when every submit that has begun is dealt with. */
  async idle(): Promise<void> {
    if (this.#underWay > 0) await (this.#onIdle ??= Promise.withResolvers()).promise;
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
  async #submitWithin(transaction: unknown, request: SubmitRequest): Promise<Submitted> {
    const { store } = this.#setup.options;
    if (store.capabilities.transactions !== true) {
      const message =
        'This store cannot take part in a transaction of yours. Leave `transaction` out.';
      throw new DurableError('options_invalid', message);
    }
    await this.#setup.ready();
    const [result] = await store.submit([request], transaction);
    if (result === undefined) throw new Error('The store left out a result.');
    if (result.outcome === 'failed') throw result.error;
    return result;
  }

  readonly #done = (): void => {
    this.#underWay -= 1;
    if (this.#underWay > 0) return;
    this.#onIdle?.resolve();
    this.#onIdle = null;
  };
}

function earliest(own: number | null, given: number | undefined): number | null {
  if (own === null && given === undefined) return null;
  return Math.min(own ?? FOREVER_AT, given ?? FOREVER_AT, FOREVER_AT);
}
