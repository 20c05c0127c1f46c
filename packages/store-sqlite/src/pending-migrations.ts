import { DatabaseSync } from 'node:sqlite';
import { missingMigrations } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';

/**
 * The steps that `migrate` would take of the file at `path`, by number; changes nothing.
 * @throws Error when the file cannot be read, or is of a newer version that breaks with this.
 */
export function pendingMigrations(path: string): readonly number[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return missingMigrations(db, MIGRATIONS).map(({ number }) => number);
  } finally {
    db.close();
  }
}
