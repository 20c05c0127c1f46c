import type { DatabaseSync } from 'node:sqlite';
import { COLUMNS, type Cell, type RecordRow } from '../record-row.ts';
import { StoreFailure } from '../store-failure.ts';

/** Finds rows of intents. */
export interface Finder {
  /** The row with this id, with its number before it. */
  byId(id: string): readonly [n: number, row: RecordRow] | null;
  /** The row with this idempotency key, else with this id. @throws StoreFailure when there is none. */
  byKeyOrId(key: Cell, id: Cell): RecordRow;
}

/** Prepares a {@link Finder}. */
export function prepareFind(db: DatabaseSync): Finder {
  const columns = COLUMNS.join(', ');
  const byId = arrays(db, `SELECT n, ${columns} FROM intents WHERE id = ?`);
  const byKey = arrays(db, `SELECT ${columns} FROM intents WHERE idempotency_key = ?`);
  return {
    byId(id) {
      const found = byId(id);
      return found === undefined ? null : [Number(found[0]), found.slice(1)];
    },
    byKeyOrId(key, id) {
      const row = (key === null ? undefined : byKey(key)) ?? byId(id)?.slice(1);
      if (row === undefined) throw new StoreFailure('store_unavailable', 'A submit found no room.');
      return row;
    },
  };
}

function arrays(db: DatabaseSync, sql: string): (value: Cell) => RecordRow | undefined {
  const statement = db.prepare(sql);
  statement.setReturnArrays(true);
  return (value) => {
    const found: unknown = statement.get(value);
    return Array.isArray(found) ? found : undefined;
  };
}
