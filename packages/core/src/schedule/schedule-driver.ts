import { FOREVER_AT } from '@durable-api/protocol';
import { z } from 'zod';
import type { Operation } from '../engine/operation.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { IntentRecord, StoredResponse } from '../state/intent.ts';
import type { Claimed } from '../store/store.ts';
import { dueTicks } from './due-ticks.ts';
import { change, contentOf, keep } from './schedule-intent.ts';
import type { Schedule } from './schedule.ts';
import type { TickStarter } from './tick-starter.ts';

/** What schedules are driven with. */
export interface ScheduleDriverSetup {
  readonly ledger: Ledger;
  readonly starter: TickStarter;
  /** Age up to which a tick is late and not missed, in ms. */
  readonly lateMs: number;
}

/** From this many events on, another intent takes the place of a schedule's. */
const MAX_EVENT_COUNT = 500;
const TICKS_AT_ONCE = 64;
const NOTHING: StoredResponse = { status: 204, headers: {}, body: new Uint8Array() };

const contentSchema = z.object({ nextAt: z.number() });

/**
 * Has each schedule's intent wait for the next tick. Who claims it when it is due starts the intents of the
 * ticks, and puts it off to the next one. Who dies in between leaves it to be claimed again, and a tick that
 * was started already has its key.
 */
export class ScheduleDriver {
  readonly #setup: ScheduleDriverSetup;

  constructor(setup: ScheduleDriverSetup) {
    this.#setup = setup;
  }

  /** Stores the intent of a schedule, or finds it. */
  async arm({ id, ticks }: Schedule): Promise<IntentRecord> {
    const { ledger } = this.#setup;
    const nextAt = ticks.after(ledger.now());
    const intent = { operation: operationOf(id), content: { nextAt }, dueAt: nextAt };
    return (await keep(ledger, intent)).record;
  }

  /** Has a schedule wait for the next tick from now on, whatever it has missed. */
  async restart({ ticks }: Schedule, record: IntentRecord): Promise<boolean> {
    const { ledger } = this.#setup;
    return this.#putOff(record, ticks.after(ledger.now()), false);
  }

  /** The intent of a schedule that nobody here declares; null when there is none. */
  async find(id: string): Promise<IntentRecord | null> {
    const { ledger } = this.#setup;
    const intent = { operation: operationOf(id), content: { nextAt: FOREVER_AT }, dueAt: null };
    const { record, isNew } = await keep(ledger, intent);
    if (!isNew) return record;
    // Looking has made it. Whoever declares the schedule may have taken it over: then it stays.
    await this.end(record);
    return null;
  }

  /** Ends a schedule, unless somebody has changed it since it was read. */
  async end(record: IntentRecord): Promise<boolean> {
    const command = { type: 'cancel' } as const;
    return (await change(this.#setup.ledger, { record, command, isHeld: false })) !== null;
  }

  /** Has a schedule's ticks started from now on, in this process. */
  drive(operation: Operation, schedule: Schedule): void {
    const { ledger } = this.#setup;
    ledger.drive(operationOf(schedule.id), (claimed) => this.#look(operation, schedule, claimed));
  }

  async #look(operation: Operation, schedule: Schedule, { record, input }: Claimed): Promise<void> {
    const { ledger, starter, lateMs } = this.#setup;
    const { nextAt } = contentSchema.parse(contentOf(input));
    const now = ledger.now();
    // There may be none: the lease of a process that died is over early.
    const due = dueTicks({ ...schedule, lateMs }, nextAt, now);
    try {
      for (let from = 0; from < due.length; from += TICKS_AT_ONCE) {
        const some = due.slice(from, from + TICKS_AT_ONCE);
        await Promise.all(some.map((at) => starter.start(operation, schedule, at)));
      }
    } catch (error) {
      const { name } = schedule;
      const details = { err: error, operation: operation.name, schedule: name };
      // It stays claimed, and is looked at again when the lease has ended.
      ledger.logger.error(details, 'A tick could not be started; it will be tried again');
      return;
    }
    const next = schedule.ticks.after(now);
    if (record.status !== 'WAITING' || record.seq >= MAX_EVENT_COUNT)
      await this.#handOn(record, next);
    else await this.#putOff(record, next, true);
  }

  async #putOff(record: IntentRecord, nextAt: number, isHeld: boolean): Promise<boolean> {
    const command = { type: 'postpone', startAt: nextAt } as const;
    const content = { nextAt };
    return (await change(this.#setup.ledger, { record, command, isHeld, content })) !== null;
  }

  /** Puts a new intent in the place of one with many events, which first gives its live key up. */
  async #handOn(record: IntentRecord, nextAt: number): Promise<void> {
    const { ledger } = this.#setup;
    const begun =
      record.status === 'WAITING'
        ? await change(ledger, { record, command: { type: 'start' }, isHeld: true })
        : record;
    if (begun === null) return;
    await keep(ledger, { operation: record.operation, content: { nextAt }, dueAt: nextAt });
    const command = { type: 'complete', result: NOTHING } as const;
    await change(ledger, { record: begun, command, isHeld: true });
  }
}

function operationOf(id: string): string {
  return `durable.schedule:${id}`;
}
