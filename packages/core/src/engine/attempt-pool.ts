import { isTerminal } from '@durable-api/protocol';
import type { Clock } from '../clock.ts';
import type { ResolvedOptions } from '../options.ts';
import { hasOutputOf } from '../handler/output.ts';
import { whatIsDue } from '../handler/due.ts';
import type { Command } from '../state/command.ts';
import type { IntentRecord } from '../state/intent.ts';
import type { Store } from '../store/store.ts';
import { Attempt } from './attempt.ts';
import type { ChildStarter } from './child-starter.ts';
import type { GroupCommit } from './group-commit.ts';
import { IntentWriter, type WrittenChange } from './intent-writer.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { nextStep } from './next-step.ts';
import type { AbortCause, Operation } from './operation.ts';
import { OwnLimits } from './own-limits.ts';
import type { EndNotice } from '../webhooks/notices.ts';

/** What the pool needs and tells. */
export interface AttemptPoolSetup {
  readonly store: Store;
  readonly commits: GroupCommit;
  readonly clock: Clock;
  readonly options: ResolvedOptions;
  readonly onWritten: (change: WrittenChange) => void;
  /** Somebody else changed an intent that is worked on here. */
  readonly onForeignChange: (id: string) => void;
  readonly children: ChildStarter;
  /** Cancels the children of an intent that is about to end. */
  readonly cancelChildren: (parent: IntentRecord) => Promise<void>;
  /** What is done about the end of an intent with this input. */
  readonly noticeOf: (record: IntentRecord, input: string) => EndNotice | null;
  /** There may be room for another attempt: a handler returned, or a place was given back. */
  readonly onRoom: () => void;
}

type Find = (ids: readonly string[]) => ReturnType<Store['get']>;

/** The seq of an intent that was submitted, and nothing more. */
const SUBMITTED_SEQ = 2;

/** The attempts that this process has under way, and their leases. */
export class AttemptPool {
  readonly limits: OwnLimits = new OwnLimits((operation) => this.#countOf(operation));
  readonly #setup: AttemptPoolSetup;
  readonly #attempts = new Map<string, Attempt>();
  /** Those whose handlers have not returned; what waits only for the store takes no place. */
  readonly #running = new Map<Attempt, Operation>();
  readonly #leases: LeaseKeeper;
  /** What is read before its handler is called. */
  readonly #resuming = new Set<Promise<void>>();
  #reserved = 0;
  #draining = false;

  constructor(setup: AttemptPoolSetup) {
    this.#setup = setup;
    const { store, clock, options } = setup;
    this.#leases = new LeaseKeeper({
      store,
      clock,
      leaseMs: options.leaseMs,
      attempts: () => this.#attempts.values(),
      onLost: (attempt) => this.#abandon(attempt, 'lease_lost'),
      onCancelRequested: (attempt) => attempt.cancel(),
      onError: (error) => options.logger.warn({ err: error }, 'Leases could not be renewed'),
    });
  }

  /** How many more attempts may be started. */
  get room(): number {
    return this.#setup.options.concurrency - this.#running.size - this.#reserved;
  }

  get size(): number {
    return this.#attempts.size;
  }

  /** Keeps places for attempts whose leases are being written; returns what gives them back. */
  reserve(count: number): () => void {
    this.#reserved += count;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#reserved -= count;
      this.#setup.onRoom();
    };
  }

  /** Keeps one for an attempt of this operation. */
  reserveFor(operation: Operation): () => void {
    const giveBack = this.limits.reserve(operation, 1);
    const unreserve = this.reserve(1);
    return () => {
      giveBack();
      unreserve();
    };
  }

  /** Renews what has gone without a renewal for too long: called before a claim. */
  catchUp(): Promise<void> {
    return this.#leases.catchUp();
  }

  has(id: string): boolean {
    return this.#attempts.has(id);
  }

  /** Works on an intent under the lease that it bears; `isStarted` when the start is written already. */
  take(operation: Operation, record: IntentRecord, input: string, isStarted: boolean): void {
    const { clock, commits } = this.#setup;
    const writer = new IntentWriter({
      record,
      lease: record.lease,
      commits,
      clock,
      onWritten: this.#setup.onWritten,
      onMoved: (moved) => this.#moved(record, moved),
      notice: this.#setup.noticeOf(record, input),
    });
    // Also when the start is written: the answer may have come after the deadline.
    const step = nextStep(record, operation.options, clock.now());
    if (step.type !== 'start') {
      void this.#endUnstarted(step, record, writer);
    } else if (mayHaveNotes(record, isStarted)) {
      const resuming = this.#resume(operation, record, input, writer);
      this.#resuming.add(resuming);
      void resuming.then(() => this.#resuming.delete(resuming));
    } else this.#start(operation, record, input, isStarted, false, writer);
  }

  async #endUnstarted(step: Command, record: IntentRecord, writer: IntentWriter): Promise<void> {
    try {
      if (record.attempt > 0) await this.#setup.cancelChildren(record);
      await writer.apply(step);
      this.#setup.onRoom();
    } catch (error) {
      this.#warn(error, record.id);
    }
  }

  /** Goes on with an intent that remembers something which has to be known before its handler is called. */
  async #resume(
    operation: Operation,
    record: IntentRecord,
    input: string,
    writer: IntentWriter,
  ): Promise<void> {
    const { clock, store } = this.#setup;
    const unreserve = this.reserveFor(operation);
    try {
      const [found] = await store.get({ ids: [record.id], include: 'notes' });
      const find: Find = (ids) => store.get({ ids });
      const due = found === undefined ? null : await whatIsDue(found, clock.now(), find);
      // The reads took their time: the deadline may have passed.
      const step = nextStep(record, operation.options, clock.now());
      if (this.#draining) await this.giveBack([record]);
      else if (step.type !== 'start') await this.#endUnstarted(step, record, writer);
      else if (due === null) {
        const isVoid = record.status === 'IN_PROGRESS' && hasOutputOf(record.attempt, found?.notes);
        this.#start(operation, record, input, false, isVoid, writer);
        // When something else has come meanwhile, it is looked at again.
      } else if ((await writer.apply(due)).outcome === 'refused') {
        await this.giveBack([record]);
      }
    } catch (error) {
      this.#warn(error, record.id);
      await this.giveBack([record]);
    } finally {
      unreserve();
    }
  }

  #start(
    operation: Operation,
    record: IntentRecord,
    input: string,
    isStarted: boolean,
    voidsOutput: boolean,
    writer: IntentWriter,
  ): void {
    const { clock, options, store } = this.#setup;
    const attempt = new Attempt({
      operation,
      input,
      writer,
      lease: record.lease,
      attempt: isStarted ? record.attempt : record.attempt + 1,
      isStarted,
      // Until its first start nobody can have written anything for it to remember.
      isFresh: isStarted || record.seq <= SUBMITTED_SEQ,
      voidsOutput,
      options,
      clock,
      onReturned: () => this.#leave(attempt),
      read: async () => (await store.get({ ids: [record.id], include: 'notes' }))[0],
      find: (ids, include) => store.get(include === undefined ? { ids } : { ids, include }),
      children: this.#setup.children,
      cancelChildren: this.#setup.cancelChildren,
      hasRoom: () => this.room > 0,
    });
    const earlier = this.#attempts.get(record.id);
    if (earlier !== undefined) this.#abandon(earlier, 'lease_lost');
    this.#attempts.set(record.id, attempt);
    this.#running.set(attempt, operation);
    void attempt.done.then(() => this.#remove(attempt));
    this.#leases.wake();
    attempt.start();
  }

  /** Somebody else wrote these intents, or an unknown set of them: looks whether a cancel is among it. */
  async refresh(ids: readonly string[] | null): Promise<void> {
    const held = ids === null ? [...this.#attempts.keys()] : ids.filter((id) => this.has(id));
    if (held.length === 0) return;
    const found = await this.#setup.store.get({ ids: held });
    for (const [i, id] of held.entries()) {
      const attempt = this.#attempts.get(id);
      const record = found[i]?.record;
      if (attempt === undefined || record === undefined) continue;
      // Only a larger lease is a later one: what was read may be older than the attempt.
      if (isTerminal(record.status) || record.lease > attempt.lease) {
        this.#abandon(attempt, isTerminal(record.status) ? 'canceled' : 'lease_lost');
      } else if (record.cancelRequestedAt !== null) attempt.cancel();
      else if (record.seq > attempt.record.seq) attempt.intentChanged();
    }
  }

  /** Lets attempts end for `graceMs`, then gives back the leases of the rest. */
  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    await Promise.all(this.#resuming);
    const grace = Promise.withResolvers<void>();
    const timer = this.#setup.clock.setTimeout(() => grace.resolve(), graceMs);
    const ended = Promise.all([...this.#attempts.values()].map((attempt) => attempt.done));
    await Promise.race([ended, grace.promise]);
    timer.cancel();
    this.#leases.stop();
    const rest = [...this.#attempts.values()];
    for (const attempt of rest) this.#abandon(attempt, 'draining');
    // An end that is being written wins over giving the lease back.
    await this.#setup.commits.idle();
    await this.giveBack(rest);
  }

  /** Gives leases back that are not worked under, so that another process has them at once. */
  async giveBack(held: readonly { readonly id: string; readonly lease: number }[]): Promise<void> {
    if (held.length === 0) return;
    const { store, clock, options } = this.#setup;
    const leases = held.map(({ id, lease }) => ({ id, lease, release: true }));
    try {
      await store.renew({ now: clock.now(), leaseMs: options.leaseMs, leases });
    } catch (error) {
      options.logger.warn({ err: error }, 'Leases were not given back; they will run out');
    }
  }

  #moved({ id, lease }: IntentRecord, record: IntentRecord | null): void {
    this.#setup.onForeignChange(id);
    const attempt = this.#attempts.get(id);
    // A writer of an earlier lease knows nothing of who has it now.
    if (attempt === undefined || attempt.lease !== lease) return;
    if (record === null) this.#abandon(attempt, 'lease_lost');
    else if (isTerminal(record.status)) this.#abandon(attempt, 'canceled');
    else if (record.cancelRequestedAt !== null) attempt.cancel();
  }

  #abandon(attempt: Attempt, cause: AbortCause): void {
    attempt.abandon(cause);
    this.#setup.onForeignChange(attempt.id);
  }

  #remove(attempt: Attempt): void {
    if (this.#attempts.get(attempt.id) === attempt) this.#attempts.delete(attempt.id);
    this.#leave(attempt);
  }

  #countOf(operation: Operation): number {
    return [...this.#running.values()].filter((each) => each === operation).length;
  }

  #leave(attempt: Attempt): void {
    if (this.#running.delete(attempt)) this.#setup.onRoom();
  }

  #warn(error: unknown, intentId: string): void {
    this.#setup.options.logger.warn({ err: error, intentId }, 'An intent could not be written');
  }
}

/** An intent that waits for signals may be due for a reminder; that of a lost attempt may have put out. */
function mayHaveNotes({ status, waitingReason }: IntentRecord, isStarted: boolean): boolean {
  if (status === 'WAITING') return waitingReason !== 'WAITING_FOR_TIME';
  return status === 'IN_PROGRESS' && !isStarted;
}
