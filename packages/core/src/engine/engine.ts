import { isTerminal } from '@durable-api/protocol';
import { DurableError, isDurableError } from '../errors.ts';
import { Hub } from '../observe/hub.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Command } from '../state/command.ts';
import type { IntentRecord } from '../state/intent.ts';
import { createIntent, type NewIntent } from '../state/submit.ts';
import type { Claimed, Found, Store, SubmitResult, WatchHint } from '../store/store.ts';
import { AttemptPool } from './attempt-pool.ts';
import { Dispatcher } from './dispatcher.ts';
import { encodeStored } from './encode-stored.ts';
import { GroupCommit } from './group-commit.ts';
import { newId } from './new-id.ts';
import { IntentWriter, type WriteOutcome, type WrittenChange } from './intent-writer.ts';
import type { Operation } from './operation.ts';
import { Retention } from './retention.ts';
import { StoreClock } from './store-clock.ts';
import { withTimeout } from './with-timeout.ts';

/** A submit as the engine takes it: what is not the engine's to decide. */
export type Submission = Omit<NewIntent, 'id' | 'deadlineAt'> & { readonly input: string };

/** An intent on its way into the store. */
export interface Submitting {
  /** The record as it will be stored, unless an earlier intent has its idempotency key. */
  readonly record: IntentRecord;
  /** Stores it. Rejects with a `DurableError` when the store fails or takes too long. */
  store(): Promise<SubmitResult>;
}

/**
 * Stores intents, claims what is due, has it worked on, and passes changes on. One per process and
 * store.
 */
export class Engine {
  readonly clock: StoreClock;
  readonly hub: Hub;
  readonly #store: Store;
  readonly #holder: string;
  readonly #options: ResolvedOptions;
  readonly #commits: GroupCommit;
  readonly #operations = new Map<string, Operation>();
  readonly #pool: AttemptPool;
  readonly #dispatcher: Dispatcher;
  readonly #retention: Retention;
  #opening: Promise<void> | null = null;
  #phase: 'running' | 'draining' | 'stopped' = 'running';
  #stopping: Promise<void> | null = null;
  #unwatch: (() => void) | null = null;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.#store = options.store;
    this.clock = new StoreClock(options.clock);
    const { clock } = this;
    this.#holder = newId(clock.now());
    const store = this.#store;
    this.hub = new Hub({ ...options, clock, store });
    this.#commits = new GroupCommit(store);
    this.#pool = new AttemptPool({
      store,
      commits: this.#commits,
      clock,
      options,
      onWritten: (change) => this.#written(change),
      onForeignChange: (id) => this.#background(this.hub.refresh([id])),
      onRoom: () => this.#dispatcher.roomFreed(),
    });
    const { shared, watches } = store.capabilities;
    this.#dispatcher = new Dispatcher({
      clock,
      pollMs: shared && !watches ? options.pollMs : null,
      room: () => (this.#works ? this.#pool.room : 0),
      claim: (limit) => this.#claim(limit),
      onError: (error) => this.#warn(error, 'Due intents could not be claimed'),
    });
    this.#retention = new Retention({ store, clock, ...options.retention });
  }

  /** How many attempts this process has under way. */
  get attemptCount(): number {
    return this.#pool.size;
  }

  /** Declares an operation. @throws DurableError `operation_duplicate` if its name is taken. */
  declare(operation: Operation): void {
    if (this.#operations.has(operation.name)) {
      throw new DurableError(
        'operation_duplicate',
        `Two operations are called "${operation.name}". Stored intents are run by name: give one of ` +
          'them another, for instance { name: "reports.generate" }.',
      );
    }
    this.#operations.set(operation.name, operation);
    // In the next tick, so that the first claim knows all operations that are declared in this one.
    if (this.#operations.size === 1) setImmediate(() => this.#background(this.ready()));
    else if (this.#opening !== null) this.#dispatcher.wake();
  }

  /** Opens the store, once. After a failure the next call, or the next second, tries again. */
  ready(): Promise<void> {
    if (this.#phase === 'stopped') {
      return Promise.reject(new DurableError('stopping', 'The durable API has been stopped.'));
    }
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      this.clock.setTimeout(() => {
        if (this.#phase === 'running') this.#background(this.ready());
      }, 1_000);
      throw error;
    });
    return this.#opening;
  }

  /** Prepares an intent. Nothing is stored yet, so that one can begin to listen first. */
  prepare(submission: Submission): Submitting {
    const operation = this.#operations.get(submission.operation);
    if (operation === undefined) {
      throw new DurableError('handler_unavailable', `No operation "${submission.operation}".`);
    }
    const { pendingSubmitCount } = this.#commits;
    if (pendingSubmitCount >= this.#options.limits.maxPendingSubmits) {
      throw new DurableError(
        'overloaded',
        'Too many submits wait for the store; try again later.',
        {
          retryAfterSeconds: 1,
        },
      );
    }
    const now = this.clock.now();
    const { deadlineMs } = operation.options;
    const { input, ...intent } = submission;
    const isEager = this.#works && this.#pool.room > 0 && (intent.startAt ?? now) <= now;
    const { record, events } = createIntent(
      { ...intent, id: newId(now), deadlineAt: deadlineMs === null ? null : now + deadlineMs },
      now,
      isEager ? { holder: this.#holder, until: now + this.#options.leaseMs } : null,
    );
    const request = { record, events: encodeStored(record.id, events), input };
    return {
      record,
      store: async () => {
        await this.ready();
        const stored = this.#submit(request, operation, isEager);
        return withTimeout(stored, this.#options.storeTimeoutMs, this.#options.clock);
      },
    };
  }

  /** Reads an intent; undefined when there is none. Rejects with a `DurableError`. */
  async find(id: string, include?: 'input' | 'result'): Promise<Found | undefined> {
    await this.ready();
    const request = include === undefined ? { ids: [id] } : { ids: [id], include };
    const found = this.#store.get(request);
    return (await withTimeout(found, this.#options.storeTimeoutMs, this.#options.clock))[0];
  }

  /** Applies a command of somebody who holds no lease, such as a cancel. */
  async command(record: IntentRecord, command: Command): Promise<WriteOutcome> {
    await this.ready();
    const writer = new IntentWriter({
      record,
      lease: null,
      commits: this.#commits,
      clock: this.clock,
      onWritten: (change) => this.#written(change),
    });
    const outcome = writer.apply(command);
    const written = await withTimeout(outcome, this.#options.storeTimeoutMs, this.#options.clock);
    this.#background(this.#pool.refresh([record.id]));
    return written;
  }

  /** The stored events after `after`, in pages of the store's choosing. */
  async events(id: string, after: number, limit: number): Promise<readonly string[]> {
    await this.ready();
    const [events] = await this.#store.events({ of: [{ id, after }], limit });
    return (events ?? []).map((event) => event.json);
  }

  /**
   * Takes no new work, ends streams, lets attempts end for `graceMs`, gives back the rest, and closes
   * the store. Submits are stored, for another process, until that.
   */
  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  get #works(): boolean {
    return this.#options.worker && this.#phase === 'running';
  }

  async #open(): Promise<void> {
    await this.#store.migrate();
    this.#unwatch = this.#store.watch((hint) => this.#hinted(hint));
    this.#dispatcher.wake();
  }

  async #submit(
    request: Parameters<GroupCommit['submit']>[0],
    operation: Operation,
    isEager: boolean,
  ): Promise<SubmitResult> {
    const unreserve = isEager ? this.#pool.reserve() : null;
    try {
      const result = await this.#commits.submit(request);
      unreserve?.();
      if (result.outcome === 'exists') return result;
      if (isEager) this.#pool.take(operation, request.record, request.input, true);
      else this.#dispatcher.noteDue(request.record.dueAt ?? this.clock.now());
      this.hub.publish({ record: request.record }, request.events);
      return result;
    } finally {
      unreserve?.();
    }
  }

  async #claim(limit: number): Promise<{ count: number; nextDueAt: number | null }> {
    const sentAt = this.#options.clock.now();
    const { claimed, nextDueAt, now } = await this.#store.claim({
      now: this.clock.now(),
      holder: this.#holder,
      leaseMs: this.#options.leaseMs,
      operations: [...this.#operations.keys()],
      limit,
    });
    if (this.#store.capabilities.clock === 'store') this.clock.observe(now, sentAt);
    for (const one of claimed) this.#takeClaimed(one);
    return { count: claimed.length, nextDueAt };
  }

  #takeClaimed({ record, input }: Claimed): void {
    const operation = this.#operations.get(record.operation);
    if (operation !== undefined) this.#pool.take(operation, record, input, false);
  }

  #written({ record, events, result }: WrittenChange): void {
    this.hub.publish(result === undefined ? { record } : { record, result }, events);
    if (isTerminal(record.status)) this.#background(this.#retention.noteEnd());
    else if (record.holder === null && record.dueAt !== null)
      this.#dispatcher.noteDue(record.dueAt);
  }

  #hinted({ ids }: WatchHint): void {
    this.#dispatcher.hint();
    this.#background(this.hub.refresh(ids));
    this.#background(this.#pool.refresh(ids));
  }

  async #stop(graceMs: number): Promise<void> {
    this.#phase = 'draining';
    this.hub.leave();
    await this.#opening?.catch(() => {});
    await this.#dispatcher.stop();
    await this.#pool
      .drain(graceMs)
      .catch((error: unknown) => this.#warn(error, 'Leases were not given back'));
    await this.#commits.idle();
    await this.#retention.idle();
    this.#phase = 'stopped';
    this.#unwatch?.();
    await this.#store.close();
  }

  #background(work: Promise<unknown>): void {
    work.catch((error: unknown) =>
      this.#warn(error, 'A look at the store failed; it will be repeated'),
    );
  }

  #warn(error: unknown, message: string): void {
    const level = isDurableError(error) ? 'warn' : 'error';
    this.#options.logger[level]({ err: error }, message);
  }
}
