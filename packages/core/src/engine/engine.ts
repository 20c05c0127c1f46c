import { isTerminal } from '@durable-api/protocol';
import { DurableError, isDurableError } from '../errors.ts';
import { Hub } from '../observe/hub.ts';
import type { Timer } from '../clock.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Command } from '../state/command.ts';
import type { IntentRecord } from '../state/intent.ts';
import type { Claimed, ClaimResult, Found, Store, WatchHint } from '../store/store.ts';
import { AttemptPool } from './attempt-pool.ts';
import { Dispatcher } from './dispatcher.ts';
import { GroupCommit } from './group-commit.ts';
import { newId } from './new-id.ts';
import { IntentWriter, type WriteOutcome, type WrittenChange } from './intent-writer.ts';
import type { Operation } from './operation.ts';
import { Retention } from './retention.ts';
import { StoreClock } from './store-clock.ts';
import { Submitter, type Submission, type Submitting } from './submitter.ts';
import { withTimeout } from './with-timeout.ts';

/** How long to wait before a store that could not be opened is tried again, in ms. */
const REOPEN_MS = 1_000;

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
  readonly #submitter: Submitter;
  #reopening: Timer | null = null;
  #isOpen = false;
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
    const { shared, watches } = store.capabilities;
    const pollMs = shared && !watches ? options.pollMs : null;
    this.hub = new Hub({ ...options, clock, store, pollMs });
    this.#commits = new GroupCommit(store);
    this.#pool = new AttemptPool({
      store,
      commits: this.#commits,
      clock,
      options,
      onWritten: (change) => this.#written(change),
      onForeignChange: (id) => {
        // It may be due again, and who wrote that was not this process, or never had the answer.
        this.#dispatcher.hint();
        void this.hub.refresh([id]);
      },
      onRoom: () => this.#dispatcher.roomFreed(),
    });
    this.#dispatcher = new Dispatcher({
      clock,
      pollMs,
      // Half of it, so that submits that come during a claim can still be started in their own write.
      room: () => (this.#works ? Math.ceil(this.#pool.room / 2) : 0),
      claim: (limit) => this.#claim(limit),
      onError: (error) => this.#warn(error, 'Due intents could not be claimed'),
    });
    this.#retention = new Retention({ store, clock, ...options.retention });
    this.#submitter = new Submitter({
      commits: this.#commits,
      pool: this.#pool,
      clock,
      options,
      holder: this.#holder,
      ready: () => this.ready(),
      works: () => this.#works,
      onStored: ({ record, events }) => this.hub.publish({ record }, events),
      onDue: (dueAt) => this.#dispatcher.noteDue(dueAt),
    });
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
    else if (this.#isOpen) this.#dispatcher.wake();
  }

  /** The declared operation of this name. @throws DurableError `handler_unavailable` if there is none. */
  operation(name: string): Operation {
    const operation = this.#operations.get(name);
    if (operation !== undefined) return operation;
    const names = [...this.#operations.keys()].join(', ') || 'none';
    const message = `No operation is called "${name}" here. Declared are: ${names}.`;
    throw new DurableError('handler_unavailable', message);
  }

  /** Opens the store, once. After a failure the next call, or the next second, tries again. */
  ready(): Promise<void> {
    if (this.#phase === 'stopped') {
      return Promise.reject(new DurableError('stopping', 'The durable API has been stopped.'));
    }
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      this.#reopening ??= this.clock.setTimeout(() => {
        this.#reopening = null;
        if (this.#phase === 'running') this.#background(this.ready());
      }, REOPEN_MS);
      throw error;
    });
    return this.#opening;
  }

  /** Like {@link ready}, within `storeTimeoutMs`. @throws DurableError `store_unavailable` */
  opened(): Promise<void> {
    return this.#isOpen ? Promise.resolve() : this.#ask(async () => {});
  }

  /** Prepares an intent of an opened store. Nothing is stored yet, so that one can begin to listen first. */
  prepare(submission: Submission): Submitting {
    return this.#submitter.prepare(submission);
  }

  /** Reads an intent; undefined when there is none. Rejects with a `DurableError`. */
  async find(id: string, include?: 'input' | 'result'): Promise<Found | undefined> {
    const request = include === undefined ? { ids: [id] } : { ids: [id], include };
    return (await this.#ask(() => this.#store.get(request)))[0];
  }

  /** Applies a command of somebody who holds no lease, such as a cancel. */
  async command(record: IntentRecord, command: Command): Promise<WriteOutcome> {
    const writer = new IntentWriter({
      record,
      lease: null,
      commits: this.#commits,
      clock: this.clock,
      onWritten: (change) => this.#written(change),
    });
    const written = await this.#ask(() => writer.apply(command));
    this.#background(this.#pool.refresh([record.id]));
    return written;
  }

  /** The stored events after `after`, in pages of the store's choosing. */
  async events(id: string, after: number, limit: number): Promise<readonly string[]> {
    const request = { of: [{ id, after }], limit };
    const [events] = await this.#ask(() => this.#store.events(request));
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
    await this.#readClock();
    this.#unwatch = this.#store.watch((hint) => this.#hinted(hint));
    this.#isOpen = true;
    this.#dispatcher.wake();
  }

  /** Learns the store's time, so that already the first intent is dated by it: a claim of nothing. */
  async #readClock(): Promise<void> {
    if (this.#store.capabilities.clock !== 'store') return;
    await this.#claimOf([], 1);
  }

  /** Opens the store and asks it. @throws DurableError `store_unavailable` when that takes too long. */
  #ask<T>(ask: () => Promise<T>): Promise<T> {
    return withTimeout(this.ready().then(ask), this.#options.storeTimeoutMs, this.#options.clock);
  }

  async #claim(limit: number): Promise<{ count: number; nextDueAt: number | null }> {
    // Until those that are claimed are there, so that submits do not take their places.
    const unreserve = this.#pool.reserve(limit);
    try {
      await this.#pool.catchUp();
      const { claimed, nextDueAt } = await this.#claimOf([...this.#operations.keys()], limit);
      if (this.#works) for (const one of claimed) this.#takeClaimed(one);
      else await this.#pool.giveBack(claimed.map((one) => one.record));
      return { count: claimed.length, nextDueAt };
    } finally {
      unreserve();
    }
  }

  async #claimOf(operations: readonly string[], limit: number): Promise<ClaimResult> {
    const sentAt = this.#options.clock.now();
    const result = await this.#store.claim({
      now: this.clock.now(),
      holder: this.#holder,
      leaseMs: this.#options.leaseMs,
      operations,
      limit,
    });
    if (this.#store.capabilities.clock === 'store') this.clock.observe(result.now, sentAt);
    return result;
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
    void this.hub.refresh(ids);
    this.#background(this.#pool.refresh(ids));
  }

  async #stop(graceMs: number): Promise<void> {
    this.#phase = 'draining';
    this.hub.leave();
    this.#reopening?.cancel();
    await this.#dispatcher.stop();
    await this.#pool.drain(graceMs);
    this.#phase = 'stopped';
    await this.#submitter.idle();
    await this.#commits.idle();
    await this.#retention.idle();
    this.hub.endWaits();
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
