import { postgresStore } from '@durable-api/store-postgres';
import { submitRequest } from './intents.ts';

/** Opens the store at once with others, and submits one intent. Arguments: URL, schema. */
const [connectionString, schema] = process.argv.slice(2);
const store = postgresStore({ connectionString, schema });
await store.migrate();
await store.submit([submitRequest()]);
await store.close();
