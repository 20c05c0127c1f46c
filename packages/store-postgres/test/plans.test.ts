import type { Store } from '@durable-api/core';
import { postgresStore } from '@durable-api/store-postgres';
import { Pool } from 'pg';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimRequest, commitRequest, completes, submitRequest } from './support/intents.ts';
import { findTestDatabase } from './support/test-database.ts';

const database = await findTestDatabase();

/** Enough that a plan which reads a whole table is slow. */
const INTENTS = 20_000;
const TABLES = ['intent', 'live', 'log', 'ended'];

describe.skipIf(database === null)('the plans of the statements', () => {
  if (database === null) return;
  let schema: ReturnType<typeof database.schema>;

  beforeEach(() => {
    schema = database.schema();
  });

  afterEach(() => schema.drop());

  afterAll(() => database.end());

  const open = (): Store =>
    postgresStore({ connectionString: database.url, schema: schema.name, timeoutMs: 30_000 });

  const analyze = async (): Promise<void> => {
    for (const table of TABLES) await database.pool.query(`ANALYZE ${schema.name}.${table}`);
  };

  const STATISTICS = [
    'that were never taken',
    'that were taken when all was empty',
    'that are up to date',
  ];

  it.each(
    STATISTICS.flatMap((when) => [
      [when, 'sent'],
      [when, 'prepared'],
    ]),
  )('go by the indexes with statistics %s, when they are %s', async (when, how) => {
    const filling = open();
    await filling.migrate();
    for (const table of TABLES) {
      const keep = `ALTER TABLE ${schema.name}.${table} SET (autovacuum_enabled = false)`;
      await database.pool.query(keep);
    }
    if (when.includes('empty')) await analyze();
    for (let i = 0; i < INTENTS; i += 1_000) {
      await filling.submit(Array.from({ length: 1_000 }, () => submitRequest()));
    }
    await filling.close();
    if (when.includes('up to date')) await analyze();
    await expect.poll(backends).toBe(0);
    await expect.poll(() => count('n_tup_ins', 'intent')).toBe(INTENTS);
    const before = [await count('seq_scan', 'intent'), await count('seq_scan', 'live')];
    if (how === 'sent') {
      const working = open();
      await work(working, async () => {
        await working.list({ limit: 20 });
        await working.list({ owner: 'nobody', limit: 20 });
      });
      await working.close();
    } else await workPrepared();
    await expect.poll(backends).toBe(0);
    await expect.poll(() => count('n_tup_ins', 'ended')).toBe(257);
    expect([await count('seq_scan', 'intent'), await count('seq_scan', 'live')]).toEqual(before);
    const { rows } = await database.pool.query(
      `SELECT idx_scan FROM pg_stat_user_indexes WHERE schemaname = $1 AND indexrelname = 'intent_owner'`,
      [schema.name],
    );
    expect(Number(rows[0]?.idx_scan)).toBe(how === 'sent' ? 2 : 0);
  });

  /** Everything that an engine does all the time, with small batches and large ones. */
  async function work(store: Store, list: () => Promise<void>): Promise<void> {
    const operations = ['report', 'export', 'import'];
    for (const limit of [1, 256]) {
      const { claimed } = await store.claim(claimRequest({ operations, limit }));
      const records = claimed.map(({ record }) => record);
      expect(records).toHaveLength(limit);
      const leases = records.map(({ id, lease }) => ({ id, lease }));
      await store.renew({ now: 0, leaseMs: 60_000, leases });
      const start = [{ type: 'start', attempt: 1 } as const];
      const starts = records.map((record) => commitRequest(record, start));
      await store.commit(starts);
      const ends = starts.map(({ record }) => commitRequest(record, completes(1).slice(1)));
      expect((await store.commit(ends)).every(({ outcome }) => outcome === 'ok')).toBe(true);
      const ids = records.map(({ id }) => id);
      await store.get({ ids, include: 'result' });
      await store.events({ of: ids.map((id) => ({ id, after: 1 })), limit: 100 });
      const keys = Array.from({ length: limit }, (_, i) => `${limit} ${i}`);
      for (const outcome of ['created', 'exists']) {
        const results = await store.submit(keys.map((key) => submitRequest({ key })));
        expect(results.every((result) => result.outcome === outcome)).toBe(true);
      }
      await list();
      await store.prune({ now: 0, endedBefore: Date.now() + 60_000, keyedBefore: 0, limit });
    }
  }

  /**
   * The same on a store that prepares its statements, with plans that must do for all values. Listing is
   * not among them: what filters it has makes its plan.
   */
  async function workPrepared(): Promise<void> {
    // One connection to listen on, and one for everything else.
    const options = '-c plan_cache_mode=force_generic_plan';
    const pool = new Pool({ connectionString: database!.url, max: 2, options });
    const store = postgresStore({ pool, schema: schema.name });
    const heard = Promise.withResolvers<void>();
    store.watch(() => heard.resolve());
    await heard.promise;
    await work(store, async () => {});
    const { rows } = await pool.query(
      `SELECT count(*)::int AS count FROM pg_prepared_statements WHERE generic_plans > 0`,
    );
    // Submit, claim, renew, commit, get with the result, events.
    expect(rows).toEqual([{ count: 6 }]);
    // From jit_above_cost on Postgres compiles a statement, which takes it longer than doing it.
    const claim = await pool.query(
      `SELECT name FROM pg_prepared_statements WHERE statement LIKE '%SKIP LOCKED%'`,
    );
    const plan = await pool.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN EXECUTE "${claim.rows[0]?.name}"('{report,export,import}', 256, 'holder', 60000)`,
    );
    const cost = Number(/cost=[\d.]+\.\.([\d.]+)/.exec(plan.rows[0]?.['QUERY PLAN'] ?? '')?.[1]);
    expect(cost).toBeLessThan(10_000);
    await store.close();
    await pool.end();
  }

  /** How many servers of the store's connections there are: the statistics of one come when it has ended. */
  async function backends(): Promise<number> {
    const { rows } = await database!.pool.query(
      `SELECT count(*)::int AS count FROM pg_stat_activity
       WHERE query LIKE $1 AND pid <> pg_backend_pid() AND query NOT LIKE 'ANALYZE%'`,
      [`%${schema.name}%`],
    );
    return rows[0]?.count;
  }

  async function count(what: 'seq_scan' | 'n_tup_ins', table: string): Promise<number> {
    const { rows } = await database!.pool.query(
      `SELECT ${what} AS count FROM pg_stat_user_tables WHERE schemaname = $1 AND relname = $2`,
      [schema.name, table],
    );
    return Number(rows[0]?.count);
  }
});
