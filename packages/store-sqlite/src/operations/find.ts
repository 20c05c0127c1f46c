import type { DatabaseSync } from 'node:sqlite';
import { columnIndex, COLUMNS, type Cell, type RecordRow } from '../record-row.ts';
import { StoreFailure } from '../store-failure.ts';

/** Finds rows of intents. */
export interface Finder {
  /** The row with this id, with its number before it. */
  byId(id: string): readonly [n: number, row: RecordRow] | null;
  /** The row that is in the way of another one's. @throws StoreFailure when there is none. */
  earlier(than: RecordRow): RecordRow;
}

/** What only one intent can have, in the order in which it decides who is in the way of another. */
export const EARLIER: readonly { readonly index: number; readonly condition: string }[] = [
  { index: columnIndex('idempotency_key'), condition: 'idempotency_key = ?' },
  { index: columnIndex('id'), condition: 'id = ?' },
  { index: columnIndex('live_key'), condition: 'live_key = ? AND due_at IS NOT NULL' },
];

/** Prepares a {@link Finder}. */
export function prepareFind(db: DatabaseSync): Finder {
  const columns = COLUMNS.join(', ');
  const byId = arrays(db, `SELECT n, ${columns} FROM intents WHERE id = ?`);
  const earlier = EARLIER.map(({ condition }) =>
    arrays(db, `SELECT ${columns} FROM intents WHERE ${condition}`),
  );
  return {
    byId(id) {
      const found = byId(id);
      return found === undefined ? null : [Number(found[0]), found.slice(1)];
    },
    earlier(than) {
      const row = EARLIER.reduce<RecordRow | undefined>(
        (found, { index }, i) => found ?? lookUp(earlier[i], than[index]),
        undefined,
      );
      if (row === undefined) throw new StoreFailure('store_unavailable', 'A submit found no room.');
      return row;
    },
  };
}

function lookUp(find: Find | undefined, value: Cell | undefined): RecordRow | undefined {
  return value === null || value === undefined ? undefined : find?.(value);
}

type Find = ReturnType<typeof arrays>;

function arrays(db: DatabaseSync, sql: string): (value: Cell) => RecordRow | undefined {
  const statement = db.prepare(sql);
  statement.setReturnArrays(true);
  return (value) => {
    const found: unknown = statement.get(value);
    return Array.isArray(found) ? found : undefined;
  };
}
