import type { AdapterData } from '@durable-api/conformance';
import { postgresStore } from '@durable-api/store-postgres';
import { findTestDatabase } from '../../../store-postgres/test/support/test-database.ts';

const database = await findTestDatabase();

/** Whether there is a Postgres for the tests. */
export const hasPostgres: boolean = database !== null;

/** A schema of one case's own. */
export function onPostgres(): AdapterData {
  if (database === null) throw new Error('There is no Postgres for the tests.');
  const { url } = database;
  const schema = database.schema();
  return {
    open: () => postgresStore({ connectionString: url, schema: schema.name }),
    dispose: () => schema.drop(),
  };
}
