import { FOREVER_AT, isTerminal } from '@durable-api/protocol';
import { z } from 'zod';
import type { Ledger } from '../ledger/ledger.ts';
import { change, contentOf, keep } from './schedule-intent.ts';

/** A schedule that is or was declared by somebody. */
export interface RegisteredSchedule {
  readonly operation: string;
  readonly name: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly id: string;
}

const OPERATION = 'durable.schedules';
/** The same in every process, and in a list behind all others: "durabl" in hexadecimal. */
const ID = '00000000-0000-8000-8000-64757261626c';

const text = z.string();
const contentSchema: z.ZodType<readonly RegisteredSchedule[]> = z.array(
  z.object({ operation: text, name: text, cron: text, timeZone: text, id: text }),
);

/**
 * All schedules of a store by name, whoever declares them: so that those which nobody declares any more are
 * found. Changes only when the code of an app does.
 */
export class ScheduleRegister {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  async read(): Promise<readonly RegisteredSchedule[]> {
    return (await this.#find())?.schedules ?? [];
  }

  /** Adds those of `added` that are not there, and takes those of `removed` out. */
  async update(
    added: readonly RegisteredSchedule[],
    removed: readonly RegisteredSchedule[] = [],
  ): Promise<void> {
    for (;;) {
      const found = await this.#find();
      const before = found?.schedules ?? [];
      const kept = before.filter(({ id }) => !removed.some((one) => one.id === id));
      const news = added.filter(({ id }) => !before.some((one) => one.id === id));
      if (news.length === 0 && kept.length === before.length) return;
      const content = [
        ...kept,
        ...news.map(({ operation, name, cron, timeZone, id }) => ({
          operation,
          name,
          cron,
          timeZone,
          id,
        })),
      ];
      if (found === null) {
        const kept = { operation: OPERATION, id: ID, content, dueAt: null };
        if ((await keep(this.#ledger, kept)).isNew) return;
        continue;
      }
      const { record } = found;
      const command = { type: 'postpone', startAt: FOREVER_AT } as const;
      const written = await change(this.#ledger, { record, command, isHeld: false, content });
      // Somebody has ended it by hand: until it is pruned, there is none.
      if (written !== null || isTerminal(record.status)) return;
    }
  }

  async #find() {
    const [found] = await this.#ledger.get({ ids: [ID], include: 'input' });
    if (found === undefined) return null;
    const parsed = contentSchema.safeParse(contentOf(found.input));
    return { record: found.record, schedules: parsed.success ? parsed.data : [] };
  }
}
