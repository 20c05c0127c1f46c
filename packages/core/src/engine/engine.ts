import { isTerminal } from '@durable-api/protocol';
import { Agents } from '../agents/agents.ts';
import { DurableError, isDurableError } from '../errors.ts';
import { Hub } from '../observe/hub.ts';
import { Ledger } from '../ledger/ledger.ts';
import type { ResolvedOptions } from '../options.ts';
import { Schedules } from '../schedule/schedules.ts';
import type { Found, Store, StoredEvent, WatchHint } from '../store/store.ts';
import { AttemptPool } from './attempt-pool.ts';
import { EndNotices } from '../webhooks/notices.ts';
import { Canceller, type Cancelable, type CancelWish } from './canceller.ts';
import { ChildEnds } from './child-ends.ts';
import { ChildStarter } from './child-starter.ts';
import { Claimer } from './claimer.ts';
import { Claims } from './claims.ts';
import { DeclaredOperations } from './declared-operations.ts';
import { Dispatcher } from './dispatcher.ts';
import { DrivenIntents } from './driven-intents.ts';
import { GroupCommit } from './group-commit.ts';
import { IdSource } from './new-id.ts';
import type { WriteOutcome, WrittenChange } from './intent-writer.ts';
import { Opening } from './opening.ts';
import type { Operation } from './operation.ts';
import { Parking } from './parking.ts';
import { Retention } from './retention.ts';
import { Signaller, type Signal, type SignalOutcome } from './signaller.ts';
import { StoreClock } from './store-clock.ts';
import { Submitter, type Submission, type Submitting } from './submitter.ts';
import { withTimeout } from './with-timeout.ts';

/** Stores intents, claims what is due, has it worked on, passes changes on. One per process and store. */
export class Engine {
  readonly clock: StoreClock;
  readonly hub: Hub;
  readonly submitter: Submitter;
  readonly ledger: Ledger;
  readonly operations: DeclaredOperations;
  readonly #store: Store;
  readonly #claimer: Claimer;
  readonly #claims: Claims;
  readonly #driven: DrivenIntents;
  readonly #options: ResolvedOptions;
  readonly #commits: GroupCommit;
  readonly #pool: AttemptPool;
  readonly #dispatcher: Dispatcher;
  readonly #parking: Parking;
  readonly #retention: Retention;
  readonly #signaller: Signaller;
  readonly #canceller: Canceller;
  readonly #childEnds: ChildEnds;
  readonly #schedules: Schedules;
  readonly #opening: Opening;
  #phase: 'running' | 'draining' | 'stopped' = 'running';
  #stopping: Promise<void> | null = null;
  #unwatch: (() => void) | null = null;

  constructor(options: ResolvedOptions) {
    const store = (this.#store = options.store);
    this.#options = options;
    const clock = (this.clock = new StoreClock(options.clock));
    const works = (): boolean => this.#works;
    this.#opening = new Opening({ clock, open: () => this.#open(), onError: this.#onError });
    const holder = new IdSource().next(clock.now());
    this.#claimer = new Claimer({ options, clock, holder });
    const { shared, watches } = store.capabilities;
    const pollMs = shared && !watches ? options.pollMs : null;
    const hub = (this.hub = new Hub({ ...options, clock, store, pollMs }));
    const commits = (this.#commits = new GroupCommit(store));
    const common = { store, commits, clock };
    const onWritten = (change: WrittenChange): void => this.#written(change);
    const onWrittenBeside = (change: WrittenChange): void => {
      this.#written(change);
      this.#background(this.#pool.refresh([change.record.id]));
    };
    const { leaseMs, limits } = options;
    const agents = new Agents(limits);
    const operations = (this.operations = new DeclaredOperations(agents));
    const submitter = (): Submitter => this.submitter;
    const children = new ChildStarter({ operations, agents, submitter, limits });
    const signaller = (this.#signaller = new Signaller({ ...common, limits, onWritten }));
    const onDue = (at: number): void => void (works() && this.#dispatcher.noteDue(at));
    const { noticeOf } = new EndNotices({ ...common, signaller, onDue, onError: this.#onError });
    const ending = { ...common, noticeOf };
    this.#canceller = new Canceller({ ...ending, leaseMs, agents, onWritten: onWrittenBeside });
    const cancelChildren = this.#canceller.cancelChildrenOf.bind(this.#canceller);
    const worked = { ...ending, options, operations, works, onWritten, cancelChildren };
    this.#pool = new AttemptPool({
      ...worked,
      children,
      onForeignChange: (id) => {
        // It may be due again, and who wrote that was not this process, or never had the answer.
        this.#dispatcher.hint();
        void this.hub.refresh([id]);
      },
      onRoom: () => this.#dispatcher.roomFreed(),
    });
    this.#claims = new Claims({
      claimer: this.#claimer,
      operations,
      clock,
      pool: this.#pool,
      works,
      isShared: shared,
      onLook: onDue,
    });
    this.#dispatcher = new Dispatcher({
      clock,
      pollMs,
      // Half of it, so that submits that come during a claim can still be started in their own write.
      room: () => (this.#works ? Math.ceil(this.#pool.room / 2) : 0),
      claim: (limit) => this.#claims.claim(limit),
      onError: (error) => this.#warn(error, 'Due intents could not be claimed'),
    });
    const drives = (operation: string): boolean => this.#driven.drives(operation);
    this.#parking = new Parking({ ...worked, drives, onError: this.#onError });
    this.#retention = new Retention({ store, clock, ...options.retention });
    this.#childEnds = new ChildEnds({
      ...common,
      maxEventCount: limits.maxEventCount,
      onWritten: onWrittenBeside,
      onError: (error) => this.#warn(error, 'A parent could not be told of its children yet'),
    });
    this.submitter = new Submitter({
      ...worked,
      pool: this.#pool,
      holder,
      ready: () => this.ready(),
      canRun: (operation) => operations.canRun(operation),
      onStored: ({ record, events }) => this.hub.publish({ record }, events),
      onDue,
    });
    this.#driven = new DrivenIntents({
      ...worked,
      pollMs,
      logger: options.logger,
      claimer: this.#claimer,
      pool: this.#pool,
    });
    this.ledger = new Ledger({
      ...worked,
      hub,
      children,
      onHost: (host) => agents.take(host),
      driven: this.#driven,
      ask: (ask) => this.#ask(ask),
      begin: () => this.#begin(),
    });
    const { ledger } = this;
    this.#schedules = new Schedules({ ledger, submitter, clock, options, works, operations });
  }

  /** Declares an operation. @throws DurableError `operation_duplicate` if its name is taken. */
  declare(operation: Operation): void {
    this.operations.add(operation);
    this.#begin();
  }

  /** Opens the store, once. After a failure the next call, or the next second, tries again. */
  ready(): Promise<void> {
    if (this.#phase === 'stopped') {
      return Promise.reject(new DurableError('stopping', 'The durable API has been stopped.'));
    }
    return this.#opening.ready();
  }

  /** Like {@link ready}, within `storeTimeoutMs`. @throws DurableError `store_unavailable` */
  opened(): Promise<void> {
    return this.#opening.isOpen ? Promise.resolve() : this.#ask(async () => {});
  }

  /** Prepares an intent of an opened store. Nothing is stored yet, so that one can begin to listen first. */
  prepare(submission: Submission): Submitting {
    return this.submitter.prepare(submission);
  }

  /** Reads an intent; undefined when there is none. Rejects with a `DurableError`. */
  async find(id: string, include?: 'input' | 'result'): Promise<Found | undefined> {
    const request = include === undefined ? { ids: [id] } : { ids: [id], include };
    return (await this.#ask(() => this.#store.get(request)))[0];
  }

  /** Cancels an intent, or asks its handler to stop, with its children. Rejects with a `DurableError`. */
  cancel(found: Cancelable, wish: CancelWish = {}): Promise<WriteOutcome> {
    return this.#ask(() => this.#canceller.cancel(found, wish));
  }

  /** Hands a signal to an intent. Rejects with a `DurableError`. */
  async signal(id: string, signal: Signal): Promise<SignalOutcome> {
    const outcome = await this.#ask(() => this.#signaller.deliver(id, signal));
    if (outcome.outcome === 'delivered') this.#background(this.#pool.refresh([id]));
    return outcome;
  }

  /** The stored events after `after`, in pages of the store's choosing. */
  async storedEvents(id: string, after: number, limit: number): Promise<readonly StoredEvent[]> {
    const request = { of: [{ id, after }], limit };
    const [events] = await this.#ask(() => this.#store.events(request));
    return events ?? [];
  }

  /** The same, as JSON. */
  async events(id: string, after: number, limit: number): Promise<readonly string[]> {
    return (await this.storedEvents(id, after, limit)).map((event) => event.json);
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

  /** In the next tick, so that the first claim knows all operations that are declared in this one. */
  #begin(): void {
    if (this.#opening.isOpen) this.#wake();
    else if (this.#phase !== 'stopped') this.#opening.begin();
  }

  async #open(): Promise<void> {
    await this.#store.migrate();
    await this.#claimer.readClock();
    this.#unwatch = this.#store.watch((hint) => this.#hinted(hint));
    this.operations.warnOfStranded(this.#options);
    this.#wake();
    this.#parking.begin();
  }

  #wake(): void {
    this.#dispatcher.wake();
    this.#driven.wake();
    this.#schedules.begin();
  }

  /** Opens the store and asks it. @throws DurableError `store_unavailable` when that takes too long. */
  #ask<T>(ask: () => Promise<T>): Promise<T> {
    return withTimeout(this.ready().then(ask), this.#options.storeTimeoutMs, this.#options.clock);
  }

  #written({ record, events, result }: WrittenChange): void {
    this.hub.publish(result === undefined ? { record } : { record, result }, events);
    // It has left a place of its key, and another waits for one.
    if (record.key !== undefined && record.holder === null && this.#claims.isHeldBack)
      this.#dispatcher.wake();
    if (isTerminal(record.status)) {
      this.#childEnds.tell(record, result);
      this.#background(this.#retention.noteEnd());
    } else if (record.holder === null && record.dueAt !== null) {
      const isDriven = this.#driven.drives(record.operation);
      (isDriven ? this.#driven : this.#dispatcher).noteDue(record.dueAt);
      this.#parking.noteWritten(record);
    }
  }

  #hinted({ ids }: WatchHint): void {
    this.#dispatcher.hint();
    this.#claims.noteForeign();
    this.#parking.noteForeign();
    this.#driven.hint();
    void this.hub.refresh(ids);
    this.#background(this.#pool.refresh(ids));
  }

  async #stop(graceMs: number): Promise<void> {
    this.#phase = 'draining';
    this.hub.leave();
    this.ledger.leave();
    this.#opening.stop();
    const parts = [this.#schedules, this.#dispatcher, this.#driven, this.#parking];
    await Promise.all(parts.map((part) => part.stop()));
    await this.#pool.drain(graceMs);
    this.#phase = 'stopped';
    await this.submitter.idle();
    await this.#commits.idle();
    await this.#childEnds.stop();
    await this.#retention.idle();
    this.hub.endWaits();
    this.#unwatch?.();
    await this.#store.close();
  }

  readonly #onError = (error: unknown): void =>
    this.#warn(error, 'A look at the store failed; it will be repeated');

  #background(work: Promise<unknown>): void {
    work.catch(this.#onError);
  }

  #warn(error: unknown, message: string): void {
    const level = isDurableError(error) ? 'warn' : 'error';
    this.#options.logger[level]({ err: error }, message);
  }
}
