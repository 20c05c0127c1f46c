import { userInfo } from 'node:os';
import type { AdapterData } from '@durable-api/conformance';
import { postgresStore } from '@durable-api/store-postgres';
import { Client } from 'pg';

/** The database in which tests make schemas. */
export const DATABASE_URL: string =
  process.env['DATABASE_URL'] ?? `postgres://${userInfo().username}@127.0.0.1:5432/test`;

let count = 0;

/** Data in a schema of one test's own. */
export interface PostgresData extends AdapterData {
  readonly schema: string;
}

/** A schema of one test's own. */
export function onPostgres(): PostgresData {
  count += 1;
  const schema = `gateway_test_${process.pid}_${Date.now().toString(36)}_${count}`;
  return {
    schema,
    open: () => postgresStore({ connectionString: DATABASE_URL, schema }),
    async dispose() {
      const client = new Client({ connectionString: DATABASE_URL });
      await client.connect();
      await client.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
      await client.end();
    },
  };
}
