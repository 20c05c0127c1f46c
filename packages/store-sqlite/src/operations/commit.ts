import type { DatabaseSync } from 'node:sqlite';
import type { CommitItem, CommitOutcome } from '../channel.ts';
import { columnIndex, type Cell, type RecordRow } from '../record-row.ts';
import type { Finder } from './find.ts';

/** The columns that change with `seq`. */
const CHANGING = [
  'seq',
  'status',
  'waiting_reason',
  'updated_at',
  'attempt',
  'failures',
  'cancel_requested_at',
  'progress',
  'error',
] as const;

const CHANGING_INDEXES = CHANGING.map(columnIndex);
const SEQ = columnIndex('seq');
const LEASE = columnIndex('lease');
const HOLDER = columnIndex('holder');
const DUE_AT = columnIndex('due_at');

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
  return (items) =>
    items.map(({ row, expectedSeq, expectedLease, events, result }) => {
      const changes = CHANGING_INDEXES.map((index) => row[index] ?? null);
      const id = String(row[0]);
      const guarded: Cell[] = [id, expectedSeq, expectedLease, expectedLease];
      const updated =
        row[HOLDER] === null
          ? release.get(...changes, row[DUE_AT] ?? null, ...guarded)
          : keep.get(...changes, ...guarded);
      if (updated === undefined) return whyNot(find.byId(id), expectedLease);
      const number = Number(updated['n']);
      const { head = null, body = null } = result ?? {};
      insertLog.run(number, row[SEQ] ?? null, origin, events, head, body);
      return 'ok';
    });
}

function whyNot(
  found: readonly [number, RecordRow] | null,
  expectedLease: number | null,
): CommitOutcome {
  if (found === null) return 'missing';
  const [, row] = found;
  const isStale = expectedLease !== null && (row[LEASE] !== expectedLease || row[HOLDER] === null);
  return isStale ? 'stale' : row;
}
