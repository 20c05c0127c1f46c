import type { DatabaseSync } from 'node:sqlite';
import type { SubmitItem, SubmitOutcome } from '../channel.ts';
import { columnIndex, COLUMNS } from '../record-row.ts';
import type { Finder } from './find.ts';

const KEY = columnIndex('idempotency_key');
const SEQ = columnIndex('seq');

/** Prepares the storing of intents; call the result inside a write transaction. */
export function prepareSubmit(
  db: DatabaseSync,
  find: Finder,
  origin: number,
): (items: readonly SubmitItem[]) => SubmitOutcome[] {
  const marks = COLUMNS.map(() => '?').join(', ');
  const insertIntent = db.prepare(
    `INSERT INTO intents (${COLUMNS.join(', ')}) VALUES (${marks}) ON CONFLICT DO NOTHING`,
  );
  const insertLog = db.prepare(
    'INSERT INTO log (intent, last_seq, origin, events, input) VALUES (?, ?, ?, ?, ?)',
  );
  return (items) =>
    items.map(([row, events, input]) => {
      const { changes, lastInsertRowid } = insertIntent.run(...row);
      if (changes === 0) return find.byKeyOrId(row[KEY] ?? null, row[0] ?? null);
      insertLog.run(lastInsertRowid, row[SEQ] ?? null, origin, events, input);
      return null;
    });
}
