import type { AdapterData } from '@durable-api/conformance';
import { postgresStore } from '@durable-api/store-postgres';
import { findTestDatabase } from '../../store-postgres/test/support/test-database.ts';

const database = await findTestDatabase();

/** Whether there is a Postgres for the tests. */
export const hasPostgres: boolean = database !== null;

/** Data in a schema of one test's own. */
export interface PostgresData extends AdapterData {
  readonly schema: string;
}

/** A schema of one test's own. */
export function onPostgres(): PostgresData {
  if (database === null) throw new Error('There is no Postgres for the tests.');
  const { url } = database;
  const schema = database.schema();
  return {
    schema: schema.name,
    open: () => postgresStore({ connectionString: url, schema: schema.name }),
    dispose: () => schema.drop(),
  };
}
