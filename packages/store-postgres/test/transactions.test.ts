import { DurableApi } from '@durable-api/core';
import {
  drizzleTransaction,
  knexTransaction,
  kyselyTransaction,
  postgresStore,
  prismaTransaction,
  type SqlTransaction,
} from '@durable-api/store-postgres';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import createKnex from 'knex';
import { CompiledQuery, Kysely, PostgresDialect } from 'kysely';
import { Pool } from 'pg';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prismaClient } from './support/prisma-client.ts';
import { findTestDatabase } from './support/test-database.ts';

const database = await findTestDatabase();
const NAME = 'report';

type PrismaTransaction = Parameters<typeof prismaTransaction>[0];

/** Begins a transaction, hands it over, and commits it unless `body` throws. */
type Transact = (body: (transaction: SqlTransaction) => Promise<void>) => Promise<void>;

describe.skipIf(database === null)('a submit in a transaction of the app', () => {
  if (database === null) return;
  let schema: ReturnType<typeof database.schema>;
  let pool: Pool;
  let api: DurableApi;
  const bodies: unknown[] = [];

  beforeEach(async () => {
    schema = database.emptySchema();
    pool = new Pool({ connectionString: database.url });
    bodies.length = 0;
    api = new DurableApi({ store: postgresStore({ pool, schema: schema.name }) });
    api.declare({
      name: NAME,
      run: async (input) => {
        bodies.push(input);
        return { status: 200, headers: {}, body: new Uint8Array() };
      },
    });
    await api.ready();
  });

  afterEach(async () => {
    await api.stop();
    await pool.end();
    await schema.drop();
  });

  afterAll(() => database.end());

  const transacts: Record<string, Transact> = {
    async 'a client of pg'(body) {
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        await body(client);
        await client.query('COMMIT');
      } catch (error) {
        await client.query('ROLLBACK');
        throw error;
      } finally {
        client.release();
      }
    },
    async Knex(body) {
      const knex = createKnex({ client: 'pg', connection: database.url });
      try {
        await knex.transaction((trx) => body(knexTransaction(trx)));
      } finally {
        await knex.destroy();
      }
    },
    async Kysely(body) {
      const kysely = new Kysely({ dialect: new PostgresDialect({ pool }) });
      await kysely.transaction().execute((trx) => body(kyselyTransaction(trx, CompiledQuery)));
    },
    async Drizzle(body) {
      await drizzle(pool).transaction((tx) => body(drizzleTransaction(tx, sql)));
    },
    async Prisma(body) {
      const prisma = prismaClient(database.url);
      try {
        await prisma.$transaction((tx: PrismaTransaction) => body(prismaTransaction(tx)));
      } finally {
        await prisma.$disconnect();
      }
    },
  };

  describe.each(Object.entries(transacts))('of %s', (_, transact) => {
    it('is there and run once that commits', async () => {
      let id = '';
      await transact(async (transaction) => {
        const submit = api.intents.submit(NAME, { body: { n: 1 } }, { transaction });
        id = (await submit).record.id;
        expect(await api.intents.get(id)).toBeNull();
      });
      const status = async (): Promise<unknown> => (await api.intents.get(id))?.status;
      await expect.poll(status).toBe('COMPLETED');
      expect(bodies).toEqual([{ body: { n: 1 }, rest: {} }]);
    });

    it('never was when that rolls back', async () => {
      const rollback = transact(async (transaction) => {
        await api.intents.submit(NAME, {}, { transaction, idempotencyKey: 'k' });
        throw new Error('Changed my mind.');
      });
      await expect(rollback).rejects.toThrow('Changed my mind.');
      expect(await api.intents.list()).toEqual([]);
      const again = await api.intents.submit(NAME, {}, { idempotencyKey: 'k' });
      expect(again.isReplayed).toBe(false);
    });

    it('gives the earlier intent of its idempotency key, also one of the same transaction', async () => {
      const before = await api.intents.submit(NAME, { body: 1 }, { idempotencyKey: 'before' });
      await transact(async (transaction) => {
        const options = { transaction, idempotencyKey: 'before', owner: '' };
        const replay = await api.intents.submit(NAME, { body: 1 }, options);
        expect(replay).toMatchObject({ isReplayed: true, record: { id: before.record.id } });
        const fresh = { transaction, idempotencyKey: 'fresh' };
        const first = await api.intents.submit(NAME, { body: 2 }, fresh);
        const second = await api.intents.submit(NAME, { body: 2 }, fresh);
        expect([first.isReplayed, second.isReplayed]).toEqual([false, true]);
        expect(second.record).toEqual(first.record);
      });
      expect(await api.intents.list()).toHaveLength(2);
    });

    it('gives the one that is under way with its live key, also one of the same transaction', async () => {
      const later = { startAfterMs: 3_600_000 };
      const before = await api.intents.submit(NAME, {}, { dedupeKey: 'a', ...later });
      const rollback = transact(async (transaction) => {
        const submit = (dedupeKey: string) =>
          api.intents.submit(NAME, {}, { transaction, dedupeKey, ...later });
        const { id } = before.record;
        expect(await submit('a')).toMatchObject({ isDeduplicated: true, record: { id } });
        const first = await submit('b');
        expect(first.isDeduplicated).toBe(false);
        expect(await submit('b')).toMatchObject({ isDeduplicated: true, record: first.record });
        throw new Error('Changed my mind.');
      });
      await expect(rollback).rejects.toThrow('Changed my mind.');
      const again = await api.intents.submit(NAME, {}, { dedupeKey: 'b', ...later });
      expect(again.isDeduplicated).toBe(false);
    });
  });

  it('is written together with rows of the app', async () => {
    await database.pool.query(`CREATE TABLE ${schema.name}.orders (id int)`);
    await transacts['a client of pg']?.(async (transaction) => {
      await transaction.query(`INSERT INTO ${schema.name}.orders VALUES ($1)`, ['7']);
      await api.intents.submit(NAME, { body: { order: 7 } }, { transaction });
    });
    await expect.poll(() => bodies).toEqual([{ body: { order: 7 }, rest: {} }]);
    await database.pool.query(`DROP TABLE ${schema.name}.orders`);
  });

  it('wakes up the processes that work when it commits, without a poll', async () => {
    const submitting = new DurableApi({
      store: postgresStore({ connectionString: database.url, schema: schema.name }),
      worker: false,
    });
    submitting.declare({ name: NAME, run: () => Promise.reject(new Error('Not here.')) });
    await submitting.ready();
    await transacts['a client of pg']?.(async (transaction) => {
      await submitting.intents.submit(NAME, { body: 'elsewhere' }, { transaction });
    });
    await expect.poll(() => bodies).toEqual([{ body: 'elsewhere', rest: {} }]);
    await submitting.stop();
  });

  it('keeps text of any kind, as the app’s own client carries it', async () => {
    const body = { text: 'a\u0000b \ud800 \\u0000 "quoted" $1 ? :name', n: 1e300 };
    await transacts['Knex']?.(async (transaction) => {
      const submit = api.intents.submit(
        NAME,
        { body: { text: 'x ? $1 :n "q" \\ é 😀' } },
        { transaction },
      );
      expect((await submit).isReplayed).toBe(false);
    });
    await expect.poll(() => bodies).toHaveLength(1);
    expect(bodies).toEqual([{ body: { text: 'x ? $1 :n "q" \\ é 😀' }, rest: {} }]);
    const refused = api.intents.submit(NAME, { body });
    await expect(refused).rejects.toMatchObject({ code: 'payload_nul' });
  });

  it('is refused what is no transaction', async () => {
    const submit = api.intents.submit(NAME, {}, { transaction: 'BEGIN' });
    await expect(submit).rejects.toMatchObject({ code: 'options_invalid' });
  });
});
