import { DatabaseSync } from 'node:sqlite';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';
import { isBusy } from './store-failure.ts';

/** How long a statement waits for other processes, in ms. It is the worker thread that waits. */
const BUSY_TIMEOUT_MS = 2_000;
/** The size to which the write-ahead log is cut back after a checkpoint, in bytes. */
const MAX_WAL_BYTES = 16 * 1024 * 1024;

/** How long to wait before the next try to open a file that others are just opening or closing, in ms. */
const OPEN_RETRY_MS = 20;

/** Opens the file so that a commit is on disk when it returns, and brings its schema up to date. */
export function openDatabase(path: string): DatabaseSync {
  const giveUpAt = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      return tryOpen(path);
    } catch (error) {
      // Switching to WAL, and the last one to close, take locks that no busy timeout waits for.
      if (!isBusy(error) || performance.now() > giveUpAt) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, OPEN_RETRY_MS);
    }
  }
}

function tryOpen(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA journal_size_limit = ${MAX_WAL_BYTES};
      PRAGMA wal_autocheckpoint = 2000;
      PRAGMA cache_size = -16000;
      PRAGMA temp_store = MEMORY;
    `);
    migrate(db, MIGRATIONS);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
