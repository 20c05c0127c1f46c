import type { Store } from '@durable-api/core';
import { postgresStore } from '@durable-api/store-postgres';
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

  const open = (): Store => postgresStore({ connectionString: database.url, schema: schema.name });

  const analyze = async (): Promise<void> => {
    for (const table of TABLES) await database.pool.query(`ANALYZE ${schema.name}.${table}`);
  };

  it.each(['that were never taken', 'that were taken when all was empty', 'that are up to date'])(
    'go by the indexes with statistics %s',
    async (when) => {
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
      await expect.poll(() => count('n_tup_ins', 'intent')).toBe(INTENTS);
      const before = [await count('seq_scan', 'intent'), await count('seq_scan', 'live')];
      const working = open();
      await work(working);
      await working.close();
      // The statistics of a backend come when it has ended.
      await expect.poll(() => count('n_tup_ins', 'ended')).toBe(257);
      expect([await count('seq_scan', 'intent'), await count('seq_scan', 'live')]).toEqual(before);
      const { rows } = await database.pool.query(
        `SELECT idx_scan FROM pg_stat_user_indexes WHERE schemaname = $1 AND indexrelname = 'intent_owner'`,
        [schema.name],
      );
      expect(Number(rows[0]?.idx_scan)).toBe(2);
    },
  );

  /** Everything that an engine does all the time, with small batches and large ones. */
  async function work(store: Store): Promise<void> {
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
      await store.list({ limit: 20 });
      await store.list({ owner: 'nobody', limit: 20 });
      await store.prune({ now: 0, endedBefore: Date.now() + 60_000, keyedBefore: 0, limit });
    }
  }

  async function count(what: 'seq_scan' | 'n_tup_ins', table: string): Promise<number> {
    const { rows } = await database!.pool.query(
      `SELECT ${what} AS count FROM pg_stat_user_tables WHERE schemaname = $1 AND relname = $2`,
      [schema.name, table],
    );
    return Number(rows[0]?.count);
  }
});
