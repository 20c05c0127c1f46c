import { systemClock } from '@durable-api/core';
import { Pool } from 'pg';
import { Database } from './database.ts';
import { missingMigrations } from './migrate.ts';
import { MIGRATIONS } from './migrations/migrations.ts';
import { checkOptions, type PostgresStoreOptions } from './options.ts';

/**
 * The steps that `migrate` would take, by number; changes nothing.
 * @throws DurableError `options_invalid` when the schema is too new, `store_unavailable`.
 */
export async function pendingMigrations(
  options: Pick<PostgresStoreOptions, 'connectionString' | 'schema' | 'acceptDurability'>,
): Promise<readonly number[]> {
  checkOptions(options);
  const { connectionString, schema = 'durable_api' } = options;
  const pool = new Pool({ connectionString, max: 1, connectionTimeoutMillis: 5_000 });
  pool.on('error', () => {});
  try {
    const database = new Database({ pool, schema, timeoutMs: 5_000, clock: systemClock() });
    return (await missingMigrations(database, MIGRATIONS)).map(({ number }) => number);
  } finally {
    await pool.end();
  }
}
