import { realpathSync } from 'node:fs';
import { DurableError } from '@durable-api/core';

/** What SQLite is given for a parameter. */
type Parameter = string | number | bigint | null;

/** What the store needs of a statement. */
interface SqliteStatement {
  run(...values: Parameter[]): {
    readonly changes: number | bigint;
    readonly lastInsertRowid: number | bigint;
  };
  get(...values: Parameter[]): unknown;
  all(...values: Parameter[]): unknown[];
}

/**
 * The app's own handle on the store's file: a `DatabaseSync` of `node:sqlite` is one, and a `Database`
 * of better-sqlite3.
 */
export interface SqliteHandle {
  prepare(sql: string): SqliteStatement;
  /** `node:sqlite`: whether `BEGIN` was called. */
  readonly isTransaction?: boolean;
  /** The same in better-sqlite3. */
  readonly inTransaction?: boolean;
}

/**
 * Takes `value` for a handle on the file at `path` on which a transaction has begun.
 * @throws DurableError `options_invalid` when it is none
 */
export function asTransactionOn(path: string, value: unknown): SqliteHandle {
  if (!isHandle(value)) {
    throw refused('`transaction` takes a DatabaseSync of node:sqlite, or one of better-sqlite3.');
  }
  if (value.isTransaction !== true && value.inTransaction !== true) {
    throw refused('No transaction has begun on the handle: call BEGIN before the submit.');
  }
  if (!filesOf(value).includes(realpathSync(path))) {
    throw refused(`The handle is not on the store's file. Open or ATTACH ${path} with it.`);
  }
  return value;
}

function isHandle(value: unknown): value is SqliteHandle {
  return (
    typeof value === 'object' &&
    value !== null &&
    'prepare' in value &&
    typeof value.prepare === 'function'
  );
}

/** The files that the handle is on, those that were attached too. */
function filesOf(handle: SqliteHandle): string[] {
  const rows = handle.prepare('PRAGMA database_list').all();
  return rows.flatMap((row) => {
    const file = typeof row === 'object' && row !== null && 'file' in row ? row.file : '';
    return typeof file === 'string' && file !== '' ? [realpathSync(file)] : [];
  });
}

function refused(message: string): DurableError {
  return new DurableError('options_invalid', message);
}
