import { DatabaseSync } from 'node:sqlite';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';

/** How long a statement waits for other processes, in ms. It is the worker thread that waits. */
const BUSY_TIMEOUT_MS = 2_000;
/** The size to which the write-ahead log is cut back after a checkpoint, in bytes. */
const MAX_WAL_BYTES = 16 * 1024 * 1024;

/** Opens the file so that a commit is on disk when it returns, and brings its schema up to date. */
export function openDatabase(path: string): DatabaseSync {
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
