import { postgresStore, type PostgresStoreOptions } from '@durable-api/store-postgres';
import { Pool } from 'pg';
import { submitRequest } from './intents.ts';

/**
 * Listens, submits one intent, and is killed in the moment in which that is written and nobody has been
 * told. Arguments: URL, schema.
 */
const [connectionString, schema] = process.argv.slice(2);
const pool = new Pool({ connectionString });
const deadly: NonNullable<PostgresStoreOptions['pool']> = {
  async connect() {
    const client = await pool.connect();
    return Object.assign(Object.create(client), {
      release: (destroy?: boolean) => client.release(destroy),
      async query(query: { text: string }) {
        const result = await client.query(query);
        if (query.text.includes('INSERT INTO')) process.kill(process.pid, 'SIGKILL');
        return result;
      },
    });
  },
};
const store = postgresStore({ pool: deadly, schema, listenUrl: connectionString });
await store.migrate();
const listening = Promise.withResolvers<void>();
store.watch(() => listening.resolve());
await listening.promise;
await store.submit([submitRequest()]);
