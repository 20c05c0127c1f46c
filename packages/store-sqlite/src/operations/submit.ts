import type { DatabaseSync } from 'node:sqlite';
import type { SubmitOutcome } from '../channel.ts';
import type { SubmitItem } from '../packed-writes.ts';
import { columnIndex, COLUMNS } from '../record-row.ts';
import type { Finder } from './find.ts';

const SEQ = columnIndex('seq');

const MARKS = COLUMNS.map(() => '?').join(', ');

/** Stores the {@link COLUMNS} of an intent, unless its id or one of its keys is there already. */
export const INSERT_INTENT: string = `INSERT INTO intents (${COLUMNS.join(', ')}) VALUES (${MARKS}) ON CONFLICT DO NOTHING`;

/** Stores the first events of an intent and its input. */
export const INSERT_LOG =
  'INSERT INTO log (intent, last_seq, origin, events, input) VALUES (?, ?, ?, ?, ?)';

/** Prepares the storing of intents; call the result inside a write transaction. */
export function prepareSubmit(
  db: DatabaseSync,
  find: Finder,
  origin: number,
): (items: readonly SubmitItem[]) => SubmitOutcome[] {
  const insertIntent = db.prepare(INSERT_INTENT);
  const insertLog = db.prepare(INSERT_LOG);
  return (items) =>
    items.map(({ row, events, input }) => {
      const { changes, lastInsertRowid } = insertIntent.run(...row);
      if (changes === 0) return find.earlier(row);
      insertLog.run(lastInsertRowid, row[SEQ] ?? null, origin, events, input);
      return null;
    });
}
