import type { DatabaseSync } from 'node:sqlite';
import type { CommitOutcome } from '../channel.ts';
import type { CommitItem } from '../packed-writes.ts';
import { CHANGING, columnIndex, type Cell, type RecordRow } from '../record-row.ts';
import type { Finder } from './find.ts';

const LEASE = columnIndex('lease');
const HOLDER = columnIndex('holder');

/** Prepares the writing of changes; call the result inside a write transaction. */
export function prepareCommit(
  db: DatabaseSync,
  find: Finder,
  origin: number,
): (items: readonly CommitItem[]) => CommitOutcome[] {
  const assignments = CHANGING.map((column) => `${column} = ?`).join(', ');
  const guard = `id = ? AND seq = ? AND (? IS NULL OR (lease = ? AND holder IS NOT NULL))`;
  const keep = db.prepare(`UPDATE intents SET ${assignments} WHERE ${guard} RETURNING n`);
  const release = db.prepare(
    `UPDATE intents SET ${assignments}, holder = NULL, due_at = ? WHERE ${guard} RETURNING n`,
  );
  const insertLog = db.prepare(
    `INSERT INTO log (intent, last_seq, origin, events, result_head, result_body)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const remember = db.prepare('INSERT OR REPLACE INTO notes (intent, key, value) VALUES (?, ?, ?)');
  const free = db.prepare('UPDATE intents SET live_key = NULL WHERE n = ?');
  const replace = db.prepare('UPDATE log SET input = ? WHERE intent = ? AND input IS NOT NULL');
  return (items) =>
    items.map((item) => {
      const { id, expectedSeq, expectedLease, changes, isHeld, dueAt } = item;
      const { events, head, body, notes, input, freesLiveKey } = item;
      const guarded: Cell[] = [id, expectedSeq, expectedLease, expectedLease];
      const updated = isHeld
        ? keep.get(...changes, ...guarded)
        : release.get(...changes, dueAt, ...guarded);
      if (updated === undefined) return whyNot(find.byId(id), expectedLease);
      const [seq = null] = changes;
      const number = Number(updated['n']);
      insertLog.run(number, seq, origin, events, head, body);
      for (const { key, value } of notes ?? []) remember.run(number, key, value);
      if (freesLiveKey && dueAt !== null) free.run(number);
      if (input !== null) replace.run(input, number);
      return 'ok';
    });
}

function whyNot(found: readonly [number, RecordRow] | null, expectedLease: Cell): CommitOutcome {
  if (found === null) return 'missing';
  const [, row] = found;
  const isStale = expectedLease !== null && (row[LEASE] !== expectedLease || row[HOLDER] === null);
  return isStale ? 'stale' : row;
}
