import { readFile } from 'node:fs/promises';
import { DurableApi, type Store } from '@durable-api/core';
import { postgresStore } from '@durable-api/store-postgres';
import { Pool } from 'pg';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findTestDatabase } from './support/test-database.ts';

const database = await findTestDatabase();
const README = new URL('../README.md', import.meta.url);

/** The statements of the README, which speak of the schema `durable_api` and the roles of its text. */
async function documented(): Promise<readonly string[]> {
  const text = await readFile(README, 'utf8');
  const [, sql = ''] = /```sql\n([^]*?)```/.exec(text) ?? [];
  return sql.split(/;\s*\n/).filter((statement) => statement.trim() !== '');
}

describe.skipIf(database === null)('with the rights that the README gives', () => {
  if (database === null) return;
  const suffix = `${process.pid}_${Date.now().toString(36)}`;
  const roles = {
    app_migrator: `migrator_${suffix}`,
    app: `app_${suffix}`,
    app_reader: `reader_${suffix}`,
  };
  let schema: ReturnType<typeof database.schema>;

  const as = (role: keyof typeof roles): string => {
    const url = new URL(database.url);
    url.searchParams.set('options', `-c role=${roles[role]}`);
    return url.href;
  };
  const open = (role: keyof typeof roles): Store =>
    postgresStore({ connectionString: as(role), schema: schema.name });
  const query = async (role: keyof typeof roles, text: string): Promise<unknown> => {
    const pool = new Pool({ connectionString: as(role), max: 1 });
    try {
      return (await pool.query(text)).rows;
    } finally {
      await pool.end();
    }
  };

  beforeEach(async () => {
    schema = database.schema();
    for (const role of Object.values(roles)) await database.pool.query(`CREATE ROLE ${role}`);
    const named = new Map(Object.entries(roles));
    for (const statement of await documented()) {
      const text = statement
        .replaceAll('durable_api', schema.name)
        .replaceAll(/\bapp(?:_\w+)?\b/g, (role) => named.get(role) ?? role);
      await database.pool.query(text);
    }
    const store = open('app_migrator');
    await store.migrate();
    await store.close();
  });

  afterEach(async () => {
    await schema.drop();
    for (const role of Object.values(roles)) {
      await database.pool.query(`DROP OWNED BY ${role}`);
      await database.pool.query(`DROP ROLE ${role}`);
    }
  });

  afterAll(() => database.end());

  it('the app does all that the engine does, and cannot change the schema', async () => {
    const api = new DurableApi({ store: open('app') });
    const response = { status: 200, headers: {}, body: new Uint8Array() };
    api.declare({ name: 'report', run: async () => response });
    await api.ready();
    const { record } = await api.intents.submit('report', { body: 1 }, { idempotencyKey: 'k' });
    const status = async (): Promise<unknown> => (await api.intents.get(record.id))?.status;
    await expect.poll(status).toBe('COMPLETED');
    expect(await api.intents.list()).toHaveLength(1);
    await api.stop();
    const store = open('app');
    const far = Date.now() + 60_000;
    const prune = { now: far, endedBefore: far, keyedBefore: far, limit: 10 };
    expect(await store.prune(prune)).toBe(1);
    await store.close();
    for (const change of [
      `CREATE TABLE ${schema.name}.mine (id int)`,
      `ALTER TABLE ${schema.name}.live ADD COLUMN mine int`,
      `DROP TABLE ${schema.name}.live`,
    ]) {
      await expect(query('app', change)).rejects.toThrow(/permission denied|must be owner/);
    }
  });

  it('a reader sees everything and changes nothing', async () => {
    await query('app_reader', `SELECT * FROM ${schema.name}.intent`);
    await query('app_reader', `SELECT * FROM ${schema.name}.live`);
    await expect(query('app_reader', `DELETE FROM ${schema.name}.live`)).rejects.toThrow(
      /permission denied/,
    );
  });

  it('without a right the store says what to do', async () => {
    await database.pool.query(`REVOKE UPDATE ON ${schema.name}.live FROM ${roles.app}`);
    const store = open('app');
    await store.migrate();
    await expect(
      store.claim({ now: 0, holder: 'h', leaseMs: 1_000, operations: ['report'], limit: 1 }),
    ).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('insufficient_privilege'),
    });
    await store.close();
  });
});
