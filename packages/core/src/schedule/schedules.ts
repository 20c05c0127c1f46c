import { FOREVER_AT } from '@durable-api/protocol';
import type { Clock, Timer } from '../clock.ts';
import type { DeclaredOperations } from '../engine/declared-operations.ts';
import type { Operation } from '../engine/operation.ts';
import type { Submitter } from '../engine/submitter.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { ResolvedOptions } from '../options.ts';
import type { IntentRecord } from '../state/intent.ts';
import { ScheduleDriver } from './schedule-driver.ts';
import { ScheduleRegister, type RegisteredSchedule } from './schedule-register.ts';
import type { Schedule } from './schedule.ts';
import { TickStarter } from './tick-starter.ts';

/** What schedules need. */
export interface SchedulesSetup {
  readonly ledger: Ledger;
  readonly submitter: () => Submitter;
  readonly clock: Clock;
  readonly options: Pick<ResolvedOptions, 'leaseMs' | 'limits' | 'logger'>;
  /** Whether this process works on what is due. */
  readonly works: () => boolean;
  readonly operations: DeclaredOperations;
}

interface Declared {
  readonly operation: Operation;
  readonly schedule: Schedule;
}

/** How long nobody has to declare a schedule until it is forgotten, with what it has missed. */
const FORGET_MS = 7 * 86_400_000;
const RETRY_MS = 1_000;
const MIN_LATE_MS = 60_000;
const MAX_LATE_MS = 600_000;

/**
 * The schedules that this process declares: has each of them armed in the store once it is open, and ends
 * there what nobody declares any more.
 */
export class Schedules {
  readonly #setup: SchedulesSetup;
  readonly #driver: ScheduleDriver;
  readonly #register: ScheduleRegister;
  readonly #lateMs: number;
  #armedCount = 0;
  #hasTidied = false;
  #arranging: Promise<void> | null = null;
  #retry: Timer | null = null;
  #isOver = false;

  constructor(setup: SchedulesSetup) {
    this.#setup = setup;
    const { ledger, submitter, options } = setup;
    const { leaseMs, limits, logger } = options;
    // Whoever dies while starting ticks holds them up for a lease.
    this.#lateMs = Math.min(MAX_LATE_MS, Math.max(MIN_LATE_MS, 4 * leaseMs));
    const starter = new TickStarter({ submitter, limits, logger });
    this.#driver = new ScheduleDriver({ ledger, starter, lateMs: this.#lateMs });
    this.#register = new ScheduleRegister(ledger);
  }

  /** The store is open: arms what is not armed yet. Repeats itself until the store has taken it. */
  begin(): void {
    const isDone = this.#hasTidied && this.#armedCount === this.#declared().length;
    if (isDone || this.#isOver || this.#arranging !== null || !this.#setup.works()) return;
    this.#retry?.cancel();
    this.#arranging = this.#arrange().then(
      () => {
        this.#arranging = null;
        this.begin();
      },
      (error: unknown) => {
        this.#arranging = null;
        const { logger } = this.#setup.options;
        logger.warn({ err: error }, 'Schedules could not be armed yet; it will be tried again');
        if (!this.#isOver) this.#retry = this.#setup.clock.setTimeout(() => this.begin(), RETRY_MS);
      },
    );
  }

  /** Resolves when nothing is being armed any more. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#retry?.cancel();
    await this.#arranging;
  }

  /** Of several versions of an operation with one schedule, it is that of the first. */
  #declared(): Declared[] {
    const declared = new Map<string, Declared>();
    for (const operation of this.#setup.operations.all())
      for (const schedule of operation.options.schedules)
        if (!declared.has(schedule.id)) declared.set(schedule.id, { operation, schedule });
    return [...declared.values()];
  }

  async #arrange(): Promise<void> {
    const news = this.#declared().slice(this.#armedCount);
    const known = await this.#register.read();
    await Promise.all(news.map((one) => this.#arm(one, known)));
    // Now, since of what is in the register and not armed it may be thought that it has ended.
    if (news.length > 0) await this.#register.update(news.map(({ schedule }) => schedule));
    this.#armedCount += news.length;
    if (!this.#hasTidied) await this.#tidy(known);
    this.#hasTidied = true;
  }

  async #arm(
    { operation, schedule }: Declared,
    known: readonly RegisteredSchedule[],
  ): Promise<void> {
    const record = await this.#driver.arm(schedule);
    const isFresh =
      record.dueAt === FOREVER_AT || (await this.#isReturned(schedule, record, known));
    if (isFresh && !(await this.#driver.restart(schedule, record)))
      throw new Error(
        `The schedule "${schedule.name}" of "${operation.name}" was changed meanwhile.`,
      );
    this.#driver.drive(operation, schedule);
  }

  /**
   * Whether a schedule comes back after another of its name was in its place: what it has missed meanwhile
   * was not to be.
   */
  async #isReturned(
    { operation, name, id }: Schedule,
    { dueAt }: IntentRecord,
    known: readonly RegisteredSchedule[],
  ): Promise<boolean> {
    if (dueAt === null || dueAt > this.#setup.ledger.now() - this.#lateMs) return false;
    const others = known.filter(
      (one) => one.operation === operation && one.name === name && one.id !== id,
    );
    const found = await Promise.all(others.map((one) => this.#driver.find(one.id)));
    return found.some((record) => record !== null && record.updatedAt > dueAt);
  }

  /** Ends what nobody has declared for long: it is due, and nobody has looked at it. */
  async #tidy(known: readonly RegisteredSchedule[]): Promise<void> {
    const own = new Set(this.#declared().map(({ schedule }) => schedule.id));
    const gone: RegisteredSchedule[] = [];
    for (const one of known) {
      if (own.has(one.id)) continue;
      const record = await this.#driver.find(one.id);
      const oldest = this.#setup.ledger.now() - FORGET_MS;
      if (record === null) gone.push(one);
      else if ((record.dueAt ?? 0) < oldest && (await this.#driver.end(record))) gone.push(one);
    }
    if (gone.length > 0) await this.#register.update([], gone);
  }
}
