import type { DatabaseSync } from 'node:sqlite';
import { retryWhileBusy } from './busy.ts';

/** Transactions on one connection. */
export interface Transactions {
  /** Does `work` under the write lock: all of it is on disk afterwards, or none. */
  write<T>(work: () => T): T;
  /** Does `work` on one state of the file. */
  read<T>(work: () => T): T;
}

/** Prepares {@link Transactions}. */
export function prepareTransactions(db: DatabaseSync): Transactions {
  const beginWrite = db.prepare('BEGIN IMMEDIATE');
  const beginRead = db.prepare('BEGIN');
  const commit = db.prepare('COMMIT');
  const rollback = db.prepare('ROLLBACK');

  function inside<T>(work: () => T): T {
    try {
      const result = work();
      commit.run();
      return result;
    } catch (error) {
      // A failed COMMIT may have rolled back already.
      if (db.isTransaction) rollback.run();
      throw error;
    }
  }

  return {
    write(work) {
      retryWhileBusy(() => beginWrite.run());
      return inside(work);
    },
    read(work) {
      beginRead.run();
      return inside(work);
    },
  };
}
