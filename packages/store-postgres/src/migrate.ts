import { DurableError } from '@durable-api/core';
import type { Database } from './database.ts';
import type { Migration } from './migrations/migration.ts';
import { number } from './record.ts';
import { APPLIED, CREATE_SCHEMA, IS_THERE, LIMIT_LOCKS } from './sql/migrate.ts';
import { LOCK_MIGRATIONS, NOTE_APPLIED } from './sql/migrate.ts';
import { CREATE_MIGRATION_TABLE } from './sql/tables.ts';

type Run = Database['run'];

interface Applied {
  readonly hasSchema: boolean;
  readonly hasTable: boolean;
  readonly numbers: ReadonlySet<number>;
  readonly breaking: readonly number[];
}

/**
 * Brings the schema up to date. When there is nothing to do it takes no lock and needs no rights but
 * to read. Processes that migrate at once wait for each other.
 * @throws DurableError `options_invalid` when a newer version has changed the schema in a way that
 * this one cannot work with.
 */
export async function migrate(database: Database, migrations: readonly Migration[]): Promise<void> {
  if ((await missingMigrations(database, migrations)).length === 0) return;
  await database.transaction(async (run) => {
    await run(LIMIT_LOCKS);
    await run(LOCK_MIGRATIONS, [database.schema]);
    const applied = await readApplied(database, run);
    if (!applied.hasSchema) await run(CREATE_SCHEMA);
    if (!applied.hasTable) await run(CREATE_MIGRATION_TABLE);
    for (const { number, isBreaking, statements } of findMissing(migrations, applied)) {
      for (const statement of statements) await run(statement);
      await run(NOTE_APPLIED, [number, String(isBreaking)]);
    }
  });
}

/** The steps that are still to be done. @throws DurableError when the schema is too new. */
export async function missingMigrations(
  database: Database,
  migrations: readonly Migration[],
): Promise<readonly Migration[]> {
  const applied = await readApplied(database, (...statement) => database.run(...statement));
  return findMissing(migrations, applied);
}

async function readApplied(database: Database, run: Run): Promise<Applied> {
  const { rows: there } = await run(IS_THERE, [database.schema]);
  const [hasSchema, hasTable] = (there[0] ?? []).map((value) => value === 't');
  if (hasTable !== true) {
    return { hasSchema: hasSchema === true, hasTable: false, numbers: new Set(), breaking: [] };
  }
  const { rows } = await run(APPLIED);
  const breaking = rows.filter((row) => row[1] === 't').map((row) => number(row, 0));
  return {
    hasSchema: true,
    hasTable: true,
    numbers: new Set(rows.map((row) => number(row, 0))),
    breaking,
  };
}

function findMissing(
  migrations: readonly Migration[],
  { numbers, breaking }: Applied,
): readonly Migration[] {
  const known = new Set(migrations.map((migration) => migration.number));
  const tooNew = breaking.find((number) => !known.has(number));
  if (tooNew === undefined) return migrations.filter((migration) => !numbers.has(migration.number));
  throw new DurableError(
    'options_invalid',
    `The schema has the breaking migration ${tooNew}, which this version of ` +
      '@durable-api/store-postgres does not know. Update the package.',
  );
}
