import { createServer } from 'node:http';
import { DurableApi } from '@durable-api/core';
import { postgresStore } from '@durable-api/store-postgres';
import { gateway } from '../src/index.ts';
import { TEST_DATABASE_URL } from '../../store-postgres/test/support/test-database.ts';

/** A process of its own with a gateway on the schema of its first argument; it tells where it listens. */
const [, , schema = ''] = process.argv;
const api = new DurableApi({
  store: postgresStore({ connectionString: TEST_DATABASE_URL, schema }),
});
const server = createServer(gateway(api, { adminKeys: ['admin-key-of-the-suite'] }));
await api.ready();
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  process.send?.(`http://127.0.0.1:${port}`);
});
process.on('disconnect', () => process.exit(0));
