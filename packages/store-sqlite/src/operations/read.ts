import type { DatabaseSync } from 'node:sqlite';
import type { Note } from '@durable-api/core';
import type { Calls, EventsRow, FoundRow, StoredResult } from '../channel.ts';
import { COLUMNS, type Cell, type RecordRow } from '../record-row.ts';
import { prepareListDue } from './list-due.ts';
import type { Finder } from './find.ts';

/** The reads of the store. */
export interface Reader {
  get(request: Calls['get']['takes']): Calls['get']['gives'];
  events(request: Calls['events']['takes']): Calls['events']['gives'];
  list(request: Calls['list']['takes']): Calls['list']['gives'];
  stats(): Calls['stats']['gives'];
}

/** Prepares a {@link Reader}. */
export function prepareRead(db: DatabaseSync, find: Finder): Reader {
  const input = db.prepare('SELECT input FROM log WHERE intent = ? ORDER BY last_seq LIMIT 1');
  const result = db.prepare(
    'SELECT result_head, result_body FROM log WHERE intent = ? ORDER BY last_seq DESC LIMIT 1',
  );
  const listDue = prepareListDue(db);
  const events = db.prepare(
    `SELECT last_seq, events FROM log WHERE intent = (SELECT n FROM intents WHERE id = ?)
     AND last_seq > ? ORDER BY last_seq LIMIT ?`,
  );
  const notes = db.prepare('SELECT key, value FROM notes WHERE intent = ?');
  const stats = db.prepare('SELECT status, count(*) AS count FROM intents GROUP BY status');

  function resultOf(n: number): StoredResult | null {
    const row = result.get(n);
    const head = row?.['result_head'];
    const body = row?.['result_body'];
    return typeof head === 'string' && body instanceof Uint8Array ? { head, body } : null;
  }

  const notesOf = (n: number): Note[] =>
    notes.all(n).map(({ key, value }) => ({ key: String(key), value: String(value) }));

  return {
    get: ({ ids, include }) =>
      ids.map((id): FoundRow | null => {
        const found = find.byId(id);
        if (found === null) return null;
        const [n, row] = found;
        return {
          row,
          input: include === 'input' ? String(input.get(n)?.['input']) : null,
          result: include === 'result' ? resultOf(n) : null,
          notes: include === 'notes' ? notesOf(n) : null,
        };
      }),
    events: ({ of, limit }) =>
      of.map(({ id, after }) =>
        events.all(id, after, limit).map((row): EventsRow => {
          return [Number(row['last_seq']), String(row['events'])];
        }),
      ),
    list(request) {
      if (request.due !== undefined) return listDue(request.due, request.limit);
      const { sql, values } = listQuery(request);
      const statement = db.prepare(sql);
      statement.setReturnArrays(true);
      const rows: unknown[] = statement.all(...values);
      return rows.filter((row): row is RecordRow => Array.isArray(row));
    },
    stats: () =>
      Object.fromEntries(stats.all().map((row) => [String(row['status']), Number(row['count'])])),
  };
}

function listQuery(request: Calls['list']['takes']): { sql: string; values: Cell[] } {
  const { owner, operation, statuses, before, limit, versionMark } = request;
  const conditions: string[] = [];
  const values: Cell[] = [];
  const where = (condition: string, ...given: Cell[]): void => {
    conditions.push(condition);
    values.push(...given);
  };
  if (owner !== undefined) where('owner = ?', owner);
  if (operation !== undefined) {
    // The names of its versions are in between: '@A' follows '@@'.
    const versions = [`${operation}${versionMark}`, `${operation}@A`];
    where('(operation = ? OR operation >= ? AND operation < ?)', operation, ...versions);
  }
  if (statuses !== undefined) {
    where(`status IN (${statuses.map(() => '?').join(', ')})`, ...statuses);
  }
  if (before !== undefined) where('id < ?', before);
  const condition = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const sql = `SELECT ${COLUMNS.join(', ')} FROM intents ${condition} ORDER BY id DESC LIMIT ?`;
  return { sql, values: [...values, limit] };
}
