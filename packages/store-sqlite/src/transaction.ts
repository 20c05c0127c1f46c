import type { DatabaseSync } from 'node:sqlite';
import { retryWhileBusy } from './busy.ts';

/** Transactions on one connection. */
export interface Transactions {
  /** Does `work` under the write lock: all of it is on disk afterwards, or none. */
  write<T>(work: () => T): T;
  /** Does `work` on one state of the file. */
  read<T>(work: () => T): T;
}

/** Prepares {@link Transactions}; `onWritten` is called after each that has changed the file. */
export function prepareTransactions(db: DatabaseSync, onWritten: () => void): Transactions {
  const beginWrite = db.prepare('BEGIN IMMEDIATE');
  const beginRead = db.prepare('BEGIN');
  const commit = db.prepare('COMMIT');
  const rollback = db.prepare('ROLLBACK');
  const changes = db.prepare('SELECT total_changes() AS count');
  const countChanges = (): unknown => changes.get()?.['count'];

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
      const before = countChanges();
      retryWhileBusy(() => beginWrite.run());
      const result = inside(work);
      if (countChanges() !== before) onWritten();
      return result;
    },
    read(work) {
      beginRead.run();
      return inside(work);
    },
  };
}
