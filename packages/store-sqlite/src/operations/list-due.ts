import type { DatabaseSync } from 'node:sqlite';
import type { ListRequest } from '@durable-api/core';
import { columnIndex, COLUMNS, type Cell, type RecordRow } from '../record-row.ts';

const ID = columnIndex('id');
const DUE_AT = columnIndex('due_at');
const PLAIN = 'due_at IS NOT NULL AND key IS NULL';
const KEYED = 'due_at IS NOT NULL AND key IS NOT NULL';

/** Prepares the listing of what is due of other operations; each operation is found by its index. */
export function prepareListDue(
  db: DatabaseSync,
): (due: NonNullable<ListRequest['due']>, limit: number) => RecordRow[] {
  const kinds = [PLAIN, KEYED].map((kind) => ({
    next: db.prepare(`SELECT min(operation) AS name FROM intents WHERE ${kind} AND operation > ?`),
    read: arrays(
      db,
      `SELECT ${COLUMNS.join(', ')} FROM intents
       WHERE ${kind} AND operation = ?1 AND due_at >= ?2 AND (due_at > ?2 OR id > ?3)
       ORDER BY due_at, id LIMIT ?4`,
    ),
  }));
  return ({ except, after }, limit) => {
    const others = new Set(except);
    const rows: RecordRow[] = [];
    for (const { next, read } of kinds) {
      for (let name: unknown = ''; typeof name === 'string';) {
        name = next.get(name)?.['name'];
        if (typeof name !== 'string' || others.has(name)) continue;
        rows.push(...read(name, after?.dueAt ?? 0, after?.id ?? '', limit));
      }
    }
    return rows.sort(byDue).slice(0, limit);
  };
}

function byDue(a: RecordRow, b: RecordRow): number {
  return Number(a[DUE_AT]) - Number(b[DUE_AT]) || (String(a[ID]) < String(b[ID]) ? -1 : 1);
}

function arrays(db: DatabaseSync, sql: string): (...values: Cell[]) => RecordRow[] {
  const statement = db.prepare(sql);
  statement.setReturnArrays(true);
  return (...values) => {
    const rows: unknown[] = statement.all(...values);
    return rows.filter((row): row is RecordRow => Array.isArray(row));
  };
}
