import { userInfo } from 'node:os';
import type { AdapterData } from '@durable-api/conformance';
import { postgresStore } from '@durable-api/store-postgres';
import { Client } from 'pg';

const DATABASE_URL =
  process.env['DATABASE_URL'] ?? `postgres://${userInfo().username}@127.0.0.1:5432/test`;

let count = 0;

/** A schema of one case's own. */
export function onPostgres(): AdapterData {
  count += 1;
  const schema = `nest_test_${process.pid}_${Date.now().toString(36)}_${count}`;
  return {
    open: () => postgresStore({ connectionString: DATABASE_URL, schema }),
    async dispose() {
      const client = new Client({ connectionString: DATABASE_URL });
      await client.connect();
      await client.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
      await client.end();
    },
  };
}
