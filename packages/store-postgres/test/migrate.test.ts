import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { systemClock } from '@durable-api/core';
import { postgresStore } from '@durable-api/store-postgres';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../src/database.ts';
import { migrate } from '../src/migrate.ts';
import { MIGRATIONS } from '../src/migrations/migrations.ts';
import { findTestDatabase } from './support/test-database.ts';

const database = await findTestDatabase();
const run = promisify(execFile);
const migratingProcess = fileURLToPath(new URL('support/migrating-process.ts', import.meta.url));

describe.skipIf(database === null)('migrating', () => {
  if (database === null) return;
  let schema: ReturnType<typeof database.schema>;

  beforeEach(() => {
    schema = database.schema();
  });

  afterEach(() => schema.drop());

  afterAll(() => database.end());

  const open = (): ReturnType<typeof postgresStore> =>
    postgresStore({ connectionString: database.url, schema: schema.name, timeoutMs: 30_000 });

  const migrateOnce = async (): Promise<void> => {
    const store = open();
    await store.migrate();
    await store.close();
  };

  it('is safe for four processes that start at once on an empty database', async () => {
    const args = ['--conditions=durable-source', migratingProcess, database.url, schema.name];
    await Promise.all(Array.from({ length: 4 }, () => run(process.execPath, args)));
    const store = open();
    await store.migrate();
    expect((await store.stats()).byStatus).toEqual({ SUBMITTED: 4 });
    await store.close();
    const { rows } = await database.pool.query(`SELECT number FROM ${schema.name}.migration`);
    expect(rows).toEqual(MIGRATIONS.map(({ number }) => ({ number })));
  });

  it('refuses a schema that a newer version has changed so that this one cannot work', async () => {
    await migrateOnce();
    await database.pool.query(`INSERT INTO ${schema.name}.migration VALUES (999, true)`);
    const store = open();
    await expect(store.migrate()).rejects.toMatchObject({
      code: 'options_invalid',
      message: expect.stringContaining('999'),
    });
    await store.close();
  });

  it('goes on with a schema that a newer version has changed compatibly', async () => {
    await migrateOnce();
    await database.pool.query(`INSERT INTO ${schema.name}.migration VALUES (999, false)`);
    await migrateOnce();
  });

  it('waits for nobody when there is nothing to do', async () => {
    await migrateOnce();
    const busy = await database.pool.connect();
    await busy.query('BEGIN');
    await busy.query(
      `SELECT pg_advisory_xact_lock(hashtextextended('durable_api migration of ' || $1, 0))`,
      [schema.name],
    );
    await migrateOnce();
    busy.release(true);
  });

  it('leaves nothing behind when a step fails', async () => {
    const own = new Database({
      pool: database.pool,
      schema: schema.name,
      timeoutMs: 5_000,
      clock: systemClock(),
    });
    const broken = {
      number: MIGRATIONS.length + 1,
      isBreaking: false,
      statements: ['SELECT 1 / 0'],
    };
    await expect(migrate(own, [...MIGRATIONS, broken])).rejects.toThrow('division by zero');
    const { rows } = await database.pool.query('SELECT to_regnamespace($1) AS found', [
      schema.name,
    ]);
    expect(rows).toEqual([{ found: null }]);
  });

  it('takes up where an earlier version has left off', async () => {
    await migrateOnce();
    const own = new Database({
      pool: database.pool,
      schema: schema.name,
      timeoutMs: 5_000,
      clock: systemClock(),
    });
    const statements = ['ALTER TABLE durable.live ADD COLUMN later text'];
    const later = { number: MIGRATIONS.length + 1, isBreaking: false, statements };
    await migrate(own, [...MIGRATIONS, later]);
    const { rows } = await database.pool.query(
      `SELECT number, breaking FROM ${schema.name}.migration ORDER BY number`,
    );
    expect(rows).toEqual(
      [...MIGRATIONS, later].map(({ number, isBreaking }) => ({ number, breaking: isBreaking })),
    );
    await database.pool.query(`SELECT later FROM ${schema.name}.live`);
  });

  it('takes a schema of any name', async () => {
    const odd = { name: `durable "odd" ${schema.name}` };
    const store = postgresStore({ connectionString: database.url, schema: odd.name });
    await store.migrate();
    expect((await store.stats()).byStatus).toEqual({});
    await store.close();
    await database.pool.query(`DROP SCHEMA "${odd.name.replaceAll('"', '""')}" CASCADE`);
  });
});
