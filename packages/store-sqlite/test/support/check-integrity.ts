import { DatabaseSync } from 'node:sqlite';

/** What SQLite's own check of the whole file says; `ok` when all is well. */
export function checkIntegrity(path: string): unknown {
  const db = new DatabaseSync(path);
  try {
    return db.prepare('PRAGMA integrity_check').get()?.['integrity_check'];
  } finally {
    db.close();
  }
}
