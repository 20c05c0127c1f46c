import type { Store } from '@durable-api/core';
import { postgresStore } from '@durable-api/store-postgres';
import { Pool } from 'pg';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimOne, claimRequest, commitRequest, completes } from './support/intents.ts';
import { logOf, recordOf, submitRequest } from './support/intents.ts';
import { Proxy } from './support/proxy.ts';
import { findTestDatabase } from './support/test-database.ts';

const database = await findTestDatabase();

describe.skipIf(database === null)('a store whose connection breaks', () => {
  if (database === null) return;
  let schema: ReturnType<typeof database.schema>;
  let proxy: Proxy;
  let store: Store;

  beforeEach(async () => {
    schema = database.emptySchema();
    proxy = await Proxy.start(database.url);
    store = postgresStore({ connectionString: proxy.url, schema: schema.name, timeoutMs: 1_000 });
    await store.migrate();
  });

  afterEach(async () => {
    await store.close();
    await proxy.stop();
    await schema.drop();
  });

  afterAll(() => database.end());

  it('has written a commit once although its answer was lost', async () => {
    const record = await claimOne(store);
    const request = commitRequest(record, completes(1));
    proxy.loseAnswerTo('.ended');
    expect(await store.commit([request])).toEqual([{ outcome: 'ok' }]);
    expect(proxy.lostCount).toBe(1);
    expect((await logOf(store, record.id)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(await recordOf(store, record.id)).toEqual(request.record);
  });

  it('still refuses the commits of a batch that were refused before its answer was lost', async () => {
    const good = await claimOne(store);
    const moved = await claimOne(store);
    const first = commitRequest(moved, [{ type: 'start', attempt: 1 }]);
    await store.commit([first]);
    const late = commitRequest(moved, completes(1));
    proxy.loseAnswerTo('.ended');
    expect(await store.commit([commitRequest(good, completes(1)), late])).toEqual([
      { outcome: 'ok' },
      { outcome: 'moved', record: first.record },
    ]);
    expect(proxy.lostCount).toBe(1);
    expect(await logOf(store, moved.id)).toHaveLength(4);
  });

  it('has created an intent once although the answer to its submit was lost', async () => {
    const request = submitRequest({ key: 'once' });
    proxy.loseAnswerTo('INSERT INTO');
    expect(await store.submit([request])).toEqual([{ outcome: 'created' }]);
    expect(proxy.lostCount).toBe(1);
    expect(await store.list({ limit: 10 })).toEqual([request.record]);
  });

  it('still tells a submit that lost to an earlier one', async () => {
    const earlier = submitRequest({ key: 'taken' });
    await store.submit([earlier]);
    proxy.loseAnswerTo('INSERT INTO');
    const results = await store.submit([submitRequest({ key: 'taken' }), submitRequest()]);
    expect(results).toEqual([
      { outcome: 'exists', record: earlier.record },
      { outcome: 'created' },
    ]);
  });

  it('keeps a lease although the answer to its renewal was lost', async () => {
    const { id, lease } = await claimOne(store);
    proxy.loseAnswerTo('h.release');
    const renewed = await store.renew({ now: 0, leaseMs: 900_000, leases: [{ id, lease }] });
    expect(proxy.lostCount).toBe(1);
    expect(renewed).toEqual([{ held: true, seq: 2, cancelRequested: false }]);
  });

  it('uses a new connection when those of its pool have died', async () => {
    await Promise.all(Array.from({ length: 5 }, () => store.stats()));
    expect(proxy.connectionCount).toBeGreaterThan(1);
    proxy.cut();
    expect(await store.submit([submitRequest()])).toEqual([{ outcome: 'created' }]);
  });

  it('survives that its backend is terminated in the middle of a commit', async () => {
    const record = await claimOne(store);
    const blocker = await database.pool.connect();
    try {
      await blocker.query('BEGIN');
      await blocker.query(`SELECT FROM ${schema.name}.live FOR UPDATE`);
      const committing = store.commit([commitRequest(record, completes(1))]);
      await expect.poll(terminateWaiting).toBe(1);
      await blocker.query('COMMIT');
      expect(await committing).toEqual([{ outcome: 'ok' }]);
    } finally {
      blocker.release(true);
    }
    expect(await logOf(store, record.id)).toHaveLength(5);
  });

  it('answers store_unavailable in time when nothing comes back, and goes on afterwards', async () => {
    const record = await claimOne(store);
    const request = commitRequest(record, completes(1));
    proxy.isSilent = true;
    await expect(store.commit([request])).rejects.toMatchObject({
      code: 'store_unavailable',
      options: { retryAfterSeconds: 1 },
    });
    proxy.isSilent = false;
    // It was written, and to say so again by other means is refused.
    expect(await store.commit([request])).toEqual([{ outcome: 'stale' }]);
    expect(await logOf(store, record.id)).toHaveLength(5);
  });

  it('answers store_unavailable in time when the pool of the app has nothing to give, and goes on', async () => {
    const pool = new Pool({ connectionString: database.url, max: 1 });
    const sharing = postgresStore({ pool, schema: schema.name, timeoutMs: 300 });
    const taken = await pool.connect();
    const request = submitRequest();
    await expect(sharing.submit([request])).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('getting a connection'),
      options: { retryAfterSeconds: 1 },
    });
    taken.release();
    // Given up is given up: the connection that came too late was not used for it.
    const outcome = (): Promise<unknown> => sharing.submit([request]).catch(String);
    await expect.poll(outcome).toEqual([{ outcome: 'created' }]);
    await sharing.close();
    await pool.end();
  });

  it('prepares a statement again that its session has forgotten', async () => {
    const pool = new Pool({ connectionString: database.url, max: 2 });
    const preparing = postgresStore({ pool, schema: schema.name });
    const heard = Promise.withResolvers<void>();
    preparing.watch(() => heard.resolve());
    await heard.promise;
    await preparing.submit([submitRequest()]);
    const prepared = await pool.query('SELECT count(*)::int AS count FROM pg_prepared_statements');
    expect(prepared.rows).toEqual([{ count: 1 }]);
    await pool.query('DEALLOCATE ALL');
    expect(await preparing.submit([submitRequest()])).toEqual([{ outcome: 'created' }]);
    await preparing.close();
    await pool.end();
  });

  it('answers store_unavailable when nothing listens, and works once something does', async () => {
    const nowhere = await Proxy.start(database.url);
    await nowhere.stop();
    const other = postgresStore({ connectionString: nowhere.url, schema: schema.name });
    await expect(other.migrate()).rejects.toMatchObject({ code: 'store_unavailable' });
    await other.close();
  });

  it("answers store_unavailable in time when the app's own pool is exhausted", async () => {
    const pool = new Pool({ connectionString: database.url, max: 1 });
    const own = postgresStore({ pool, schema: schema.name, timeoutMs: 50 });
    const busy = await pool.connect();
    await expect(own.stats()).rejects.toMatchObject({ code: 'store_unavailable' });
    busy.release();
    expect((await own.stats()).byStatus).toEqual({});
    await own.close();
    expect(pool.totalCount).toBe(1);
    await pool.end();
  });

  it('claims again after the answer to a claim was lost, once the lost leases have ended', async () => {
    const request = submitRequest();
    await store.submit([request]);
    proxy.loseAnswerTo('SKIP LOCKED');
    const lost = await store.claim(claimRequest({ leaseMs: 200 }));
    expect(lost.claimed).toEqual([]);
    expect(proxy.lostCount).toBe(1);
    await expect
      .poll(async () => (await store.claim(claimRequest())).claimed, { interval: 20 })
      .toMatchObject([{ record: { id: request.record.id, lease: 2, lostLeases: 1 } }]);
  });

  async function terminateWaiting(): Promise<number | null> {
    const { rowCount } = await database!.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'durable-api' AND wait_event_type = 'Lock' AND query LIKE $1`,
      [`%"${schema.name}"%`],
    );
    return rowCount;
  }
});
