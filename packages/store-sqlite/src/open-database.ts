import { DatabaseSync } from 'node:sqlite';
import { retryWhileBusy } from './busy.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';

/** How long a single statement waits for other processes, in ms; `retryWhileBusy` does the rest. */
const BUSY_TIMEOUT_MS = 5;
/** The size to which the write-ahead log is cut back after a checkpoint, in bytes. */
const MAX_WAL_BYTES = 16 * 1024 * 1024;
/** The size of the write-ahead log, in pages of 4 KiB, from which it is written back to the file. */
const CHECKPOINT_PAGES = 2_000;

/** Opens the file so that a commit is on disk when it returns, and brings its schema up to date. */
export function openDatabase(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    retryWhileBusy(() =>
      db.exec(`
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA journal_size_limit = ${MAX_WAL_BYTES};
        PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
        PRAGMA cache_size = -16000;
        PRAGMA temp_store = MEMORY;
      `),
    );
    retryWhileBusy(() => migrate(db, MIGRATIONS));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
