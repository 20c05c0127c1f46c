import { isTerminal } from '@durable-api/protocol';
import type { Clock, Timer } from '../clock.ts';
import { hasOutputOf } from '../handler/output.ts';
import { RESETS_OUTPUT } from '../handler/void-output.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Command } from '../state/command.ts';
import type { IntentRecord } from '../state/intent.ts';
import { describeOperation, storedOperation } from '../state/stored-operation.ts';
import type { DuePosition, Found, Store } from '../store/store.ts';
import type { DeclaredOperations } from './declared-operations.ts';
import type { GroupCommit } from './group-commit.ts';
import type { EndNotice } from '../webhooks/notices.ts';
import { IntentWriter, type WrittenChange } from './intent-writer.ts';
import { Unclaimed } from './unclaimed.ts';

/** What parking needs. */
export interface ParkingSetup {
  readonly store: Store;
  readonly commits: GroupCommit;
  readonly clock: Clock;
  readonly operations: DeclaredOperations;
  readonly options: Pick<ResolvedOptions, 'parkAfterMs'>;
  readonly works: () => boolean;
  readonly drives: (operation: string) => boolean;
  readonly onWritten: (change: WrittenChange) => void;
  readonly noticeOf: (record: IntentRecord, input: string | undefined) => EndNotice | null;
  /** Cancels the children of an intent that is about to end. */
  readonly cancelChildren: (parent: IntentRecord) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** How many intents are read, or written, at once, and how often that is repeated in one look. */
const PAGE = 256;
const MAX_PAGES = 40;
/** The shortest time between two looks, in ms. */
const INTERVAL_MS = 1_000;
/** What gateways and schedules keep has a life of its own, also where there is none of these. */
const KEPT = /^(?:axp\.|durable\.schedule)/;

/**
 * Looks after what no process takes: intents of operations, or versions, that nobody declares. It looks once
 * at the start, some time after others have written, and when something of what it saw is overdue; so an idle
 * process asks nothing.
 */
export class Parking {
  readonly #setup: ParkingSetup;
  /** Null for a process that parks nothing. */
  readonly #graceMs: number | null;
  readonly #unclaimed: Unclaimed;
  readonly #kept = new Set<string>();
  #timer: Timer | null = null;
  #timerAt = Infinity;
  #looking: Promise<void> | null = null;
  #isOver = false;

  constructor(setup: ParkingSetup) {
    this.#setup = setup;
    this.#graceMs = setup.options.parkAfterMs;
    this.#unclaimed = new Unclaimed(this.#graceMs ?? 0);
  }

  /** Looks at once: the store was opened. */
  begin(): void {
    this.noteDue(-Infinity);
  }

  /** Others have written something. */
  noteForeign(): void {
    this.noteDue(this.#setup.clock.now() + (this.#graceMs ?? 0));
  }

  /** An intent was written that is due then. */
  noteWritten(record: IntentRecord): void {
    const { operations, drives } = this.#setup;
    if (record.dueAt === null || operations.of(record) !== undefined) return;
    if (!drives(record.operation)) this.noteDue(record.dueAt + (this.#graceMs ?? 0));
  }

  /** Looks no earlier than that. */
  noteDue(at: number): void {
    const { clock, works } = this.#setup;
    if (this.#isOver || this.#graceMs === null || !works() || at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    const now = clock.now();
    this.#timer = clock.setTimeout(() => this.#look(), Math.max(0, at - now));
  }

  /** Resolves when no look is under way any more. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  #look(): void {
    const { clock, works, onError } = this.#setup;
    this.#timer = null;
    this.#timerAt = Infinity;
    if (this.#looking !== null || !works()) return;
    this.#looking = this.#lookOnce()
      .catch((error: unknown) => {
        onError(error);
        return clock.now() + (this.#graceMs ?? 0);
      })
      .then((nextAt) => {
        this.#looking = null;
        if (nextAt < Infinity) this.noteDue(Math.max(nextAt, clock.now() + INTERVAL_MS));
      });
  }

  /** Resolves to when to look again; Infinity for not before others write. */
  async #lookOnce(): Promise<number> {
    const { store, clock, operations, drives } = this.#setup;
    let after: DuePosition | null = this.#unclaimed.begin(clock.now());
    let isCut = true;
    for (let page = 0; page < MAX_PAGES && isCut && !this.#isOver; page += 1) {
      const except = [...operations.storedNames(), ...this.#kept];
      const records: readonly IntentRecord[] = await store.list({
        due: { except, after },
        limit: PAGE,
      });
      for (const record of records) {
        const { operation, dueAt, id } = record;
        if (dueAt !== null) after = { dueAt, id };
        if (operations.of(record) !== undefined) continue;
        if (KEPT.test(operation) || drives(operation)) this.#kept.add(storedOperation(record));
        else this.#unclaimed.note(record);
      }
      isCut = records.length === PAGE;
    }
    const { ended, parked, nextAt } = this.#unclaimed.end();
    const isDone = [
      await this.#inBatches(ended, 'input', (found, before) => this.#end(found, before)),
      await this.#inBatches(parked, 'notes', (found, before) => this.#park(found, before)),
    ].every(Boolean);
    if (isCut) return clock.now();
    return isDone ? nextAt : Math.min(nextAt, clock.now() + (this.#graceMs ?? 0));
  }

  /** Reads them again first: a claim since then changes no seq. Resolves to whether all of it worked. */
  async #inBatches(
    records: readonly IntentRecord[],
    include: 'input' | 'notes',
    work: (found: Found, before: IntentRecord) => Promise<unknown>,
  ): Promise<boolean> {
    let isDone = true;
    for (let from = 0; from < records.length && !this.#isOver; from += PAGE) {
      const some = records.slice(from, from + PAGE);
      const ids = some.map(({ id }) => id);
      const all = await this.#setup.store.get({ ids, include });
      const works = some.map(async (before, i) => {
        const found = all[i];
        if (found !== undefined) await work(found, before);
      });
      for (const result of await Promise.allSettled(works)) {
        if (result.status === 'fulfilled') continue;
        isDone = false;
        this.#setup.onError(result.reason);
      }
    }
    return isDone;
  }

  async #park({ record, notes }: Found, before: IntentRecord): Promise<void> {
    const { seq, lease } = before;
    if (record.lease !== lease) return;
    const voids = record.status === 'IN_PROGRESS' && hasOutputOf(record.attempt, notes);
    const failure = failureOf(record, this.#setup.operations);
    const command: Command = { type: 'park', seq, lease, failure, ...(voids && RESETS_OUTPUT) };
    await this.#writer(record, null).apply(command);
  }

  async #end({ record, input }: Found, before: IntentRecord): Promise<void> {
    if (record.lease !== before.lease || isTerminal(record.status)) return;
    if (record.attempt > 0) await this.#setup.cancelChildren(record);
    const isCanceled = record.cancelRequestedAt !== null;
    const notice = this.#setup.noticeOf(record, input);
    await this.#writer(record, notice).apply({ type: isCanceled ? 'cancel' : 'timeOut' });
  }

  #writer(record: IntentRecord, notice: EndNotice | null): IntentWriter {
    const { commits, clock, onWritten } = this.#setup;
    return new IntentWriter({ record, lease: null, commits, clock, onWritten, notice });
  }
}

function failureOf(
  record: IntentRecord,
  operations: DeclaredOperations,
): Extract<Command, { type: 'park' }>['failure'] {
  const isKnown = operations.get(record.operation) !== undefined;
  const what = describeOperation(record);
  return {
    code: isKnown ? 'version_not_declared' : 'operation_not_declared',
    message: `No process seems to take intents of ${what}. It goes on as soon as one declares it.`,
    retryable: true,
  };
}
