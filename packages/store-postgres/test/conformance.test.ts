import { storeConformance } from '@durable-api/conformance';
import { postgresStore } from '@durable-api/store-postgres';
import { afterAll, describe, it } from 'vitest';
import { findTestDatabase } from './support/test-database.ts';

const database = await findTestDatabase();

if (database === null) describe.skip('postgresStore', () => it('conforms'));
else {
  afterAll(() => database.end());
  storeConformance('postgresStore', {
    capabilities: {
      durability: 'power-loss',
      shared: true,
      watches: true,
      clock: 'store',
      transactions: true,
    },
    create() {
      const schema = database.emptySchema();
      return {
        open: () =>
          postgresStore({ connectionString: database.url, schema: schema.name, timeoutMs: 30_000 }),
        dispose: () => schema.drop(),
      };
    },
  });
}
