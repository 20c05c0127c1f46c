import type { DatabaseSync } from 'node:sqlite';
import type { Migration } from './migrations.ts';
import { StoreFailure } from './store-failure.ts';

/** Marks a file as ours: "dApi" in ASCII. */
const APPLICATION_ID = 0x64_41_70_69;

/**
 * Brings the schema up to date. Steps are taken under the write lock, so that any number of processes
 * may call this at once; each takes what the others have left.
 * @throws StoreFailure when the file is another program's, or of a newer version that breaks with this.
 */
export function migrate(db: DatabaseSync, migrations: readonly Migration[]): void {
  if (missingMigrations(db, migrations).length === 0) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    claimFile(db);
    const done = doneSteps(db);
    refuseNewer(done, migrations);
    const insert = db.prepare('INSERT INTO migrations (n, breaking, at) VALUES (?, ?, ?)');
    for (const { number, isBreaking, sql } of migrations) {
      if (done.has(number)) continue;
      insert.run(number, isBreaking ? 1 : 0, Date.now());
      db.exec(sql);
    }
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** The steps that the file has not. @throws StoreFailure when it is of a newer version that breaks. */
export function missingMigrations(
  db: DatabaseSync,
  migrations: readonly Migration[],
): readonly Migration[] {
  if (pragma(db, 'application_id') !== APPLICATION_ID) return migrations;
  const done = doneSteps(db);
  refuseNewer(done, migrations);
  return migrations.filter(({ number }) => !done.has(number));
}

function claimFile(db: DatabaseSync): void {
  if (pragma(db, 'application_id') === APPLICATION_ID) return;
  const tables = db.prepare('SELECT count(*) AS count FROM sqlite_schema').get();
  if (tables?.['count'] !== 0) {
    throw new StoreFailure(
      'options_invalid',
      "This SQLite file holds another program's tables. Give the durable API a file of its own.",
    );
  }
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  db.exec(
    `CREATE TABLE migrations (n INTEGER PRIMARY KEY, breaking INTEGER NOT NULL, at INTEGER NOT NULL)
     STRICT`,
  );
}

/** The steps that the file has, each with whether it is breaking. */
function doneSteps(db: DatabaseSync): ReadonlyMap<number, boolean> {
  const rows = db.prepare('SELECT n, breaking FROM migrations').all();
  return new Map(rows.map((row) => [Number(row['n']), row['breaking'] === 1]));
}

function refuseNewer(done: ReadonlyMap<number, boolean>, migrations: readonly Migration[]): void {
  const known = new Set(migrations.map(({ number }) => number));
  for (const [number, isBreaking] of done) {
    if (known.has(number) || !isBreaking) continue;
    throw new StoreFailure(
      'options_invalid',
      `The file has schema step ${number}, which this version of @durable-api/store-sqlite does not ` +
        'know and cannot work with. Deploy the newer version here too.',
    );
  }
}

function pragma(db: DatabaseSync, name: string): unknown {
  return db.prepare(`PRAGMA ${name}`).get()?.[name];
}
