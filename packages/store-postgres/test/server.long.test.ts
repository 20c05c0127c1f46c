import { isDurableError, type Store, type SubmitRequest, type WatchHint } from '@durable-api/core';
import { postgresStore } from '@durable-api/store-postgres';
import { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, findClusterTools } from './support/cluster.ts';
import { claimOne, commitRequest, completes, logOf, submitRequest } from './support/intents.ts';
import { Proxy } from './support/proxy.ts';

/** Recovery after a crash takes its time, on a slow machine above all. */
const PATIENT = { timeout: 60_000 };

const tools = await findClusterTools();

describe.skipIf(tools === null)('a store whose server', { timeout: 240_000 }, () => {
  if (tools === null) return;
  let cluster: Cluster;
  let admin: Pool;
  const stores: Store[] = [];

  beforeAll(async () => {
    cluster = await Cluster.start(tools);
    admin = new Pool({ connectionString: cluster.url });
    admin.on('error', () => {});
  }, 240_000);

  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await admin.query('DROP SCHEMA IF EXISTS durable_api CASCADE');
  });

  afterAll(async () => {
    await admin.end();
    await cluster.remove();
  });

  const open = (connectionString = cluster.url): Store => {
    const store = postgresStore({ connectionString, timeoutMs: 30_000 });
    stores.push(store);
    return store;
  };

  /** Submits one after the other until told to stop; gives what was acknowledged, and what went wrong. */
  const submitUntil = async (
    store: Store,
    isEnough: () => boolean,
  ): Promise<{ acknowledged: SubmitRequest[]; errors: unknown[] }> => {
    const acknowledged: SubmitRequest[] = [];
    const errors: unknown[] = [];
    while (!isEnough()) {
      const request = submitRequest();
      try {
        const [result] = await store.submit([request]);
        if (result?.outcome === 'created') acknowledged.push(request);
      } catch (error) {
        errors.push(error);
        // A caller would wait as it is told to; here it only must not spin.
        await new Promise(setImmediate);
      }
    }
    return { acknowledged, errors };
  };

  const missing = async (store: Store, requests: readonly SubmitRequest[]): Promise<string[]> => {
    const ids = requests.map(({ record }) => record.id);
    const found = await store.get({ ids });
    return ids.filter((_, i) => found[i] === undefined);
  };

  it('crashes and comes back goes on without a restart, and has lost nothing', async () => {
    const store = open();
    await store.migrate();
    const hints: WatchHint[] = [];
    store.watch((hint) => hints.push(hint));
    let crashes = 0;
    const lanes = Array.from({ length: 8 }, () => submitUntil(store, () => crashes === 3));
    for (let i = 0; i < 3; i += 1) {
      await expect
        .poll(async () => (await store.stats()).byStatus.SUBMITTED ?? 0)
        .toBeGreaterThan(0);
      await cluster.kill();
      await cluster.start();
      await expect.poll(() => store.stats().then(() => 'back', String), PATIENT).toBe('back');
      crashes += 1;
    }
    const results = await Promise.all(lanes);
    const acknowledged = results.flatMap((result) => result.acknowledged);
    const errors = results.flatMap((result) => result.errors);
    expect(acknowledged.length).toBeGreaterThan(0);
    expect(await missing(store, acknowledged)).toEqual([]);
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) {
      expect(isDurableError(error) && error.code).toBe('store_unavailable');
      expect(isDurableError(error) && error.options.retryAfterSeconds).toBeGreaterThan(0);
    }
    // It hears the others again, too.
    const other = open();
    const hears = async (): Promise<boolean> => {
      const request = submitRequest();
      await other.submit([request]);
      return hints.some(({ ids }) => ids !== null);
    };
    await expect.poll(hears, PATIENT).toBe(true);
  });

  it('fails over to a replica goes on at the new primary, and has lost nothing', async () => {
    const replica = await cluster.replica();
    const proxy = await Proxy.start(cluster.url);
    try {
      await admin.query(`ALTER SYSTEM SET synchronous_standby_names = '*'`);
      await admin.query('SELECT pg_reload_conf()');
      const standby = async (): Promise<unknown> =>
        (await admin.query('SELECT sync_state FROM pg_stat_replication')).rows[0]?.sync_state;
      await expect.poll(standby, PATIENT).toBe('sync');
      const store = open(proxy.url);
      await store.migrate();
      const started = await claimOne(store);
      let isOver = false;
      const lanes = Array.from({ length: 4 }, () => submitUntil(store, () => isOver));
      await expect
        .poll(async () => (await store.stats()).byStatus.SUBMITTED, PATIENT)
        .toBeGreaterThan(10);
      await cluster.kill();
      await replica.promote();
      proxy.target = new URL(replica.url);
      await expect.poll(() => store.stats().then(() => 'back', String), PATIENT).toBe('back');
      expect(await store.commit([commitRequest(started, completes(1))])).toEqual([
        { outcome: 'ok' },
      ]);
      isOver = true;
      const acknowledged = (await Promise.all(lanes)).flatMap((lane) => lane.acknowledged);
      expect(await missing(store, acknowledged)).toEqual([]);
      expect(await logOf(store, started.id)).toHaveLength(5);
      await store.close();
    } finally {
      await proxy.stop();
      await replica.remove();
      await cluster.start();
      await admin.query('ALTER SYSTEM RESET synchronous_standby_names');
      await admin.query('SELECT pg_reload_conf()');
      const standbys = async (): Promise<unknown> =>
        (await admin.query('SHOW synchronous_standby_names')).rows[0]?.synchronous_standby_names;
      await expect.poll(standbys, PATIENT).toBe('');
    }
  });

  it('is a replica is refused, and once it was demoted says store_unavailable', async () => {
    const replica = await cluster.replica();
    const proxy = await Proxy.start(cluster.url);
    try {
      const store = open(proxy.url);
      await store.migrate();
      await expect(open(replica.url).migrate()).rejects.toMatchObject({
        code: 'store_unavailable',
        message: expect.stringContaining('replica'),
      });
      const outcome = async (): Promise<string> => {
        try {
          const [result] = await store.submit([submitRequest()]);
          return String(result?.outcome);
        } catch (error) {
          if (!isDurableError(error)) throw error;
          return `${error.code}: ${error.message}`;
        }
      };
      proxy.target = new URL(replica.url);
      proxy.cut();
      // Until the pool has noticed that its connections were cut, some are tried in vain.
      await expect
        .poll(outcome, PATIENT)
        .toMatch(/^store_unavailable: .*read_only_sql_transaction/);
      proxy.target = new URL(cluster.url);
      await expect.poll(outcome, PATIENT).toBe('created');
      await store.close();
    } finally {
      await proxy.stop();
      await replica.remove();
    }
  });

  it('has no connection left says store_unavailable and when to come back', async () => {
    await open().migrate();
    await admin.query('CREATE ROLE crowded LOGIN CONNECTION LIMIT 0');
    try {
      const url = new URL(cluster.url);
      url.username = 'crowded';
      await expect(open(url.href).stats()).rejects.toMatchObject({
        code: 'store_unavailable',
        message: expect.stringContaining('too_many_connections'),
        options: { retryAfterSeconds: 2 },
      });
    } finally {
      await admin.query('DROP ROLE crowded');
    }
  });

  it.each(['synchronous_commit', 'full_page_writes', 'fsync'])(
    'has %s off is refused unless the loss is accepted',
    async (setting) => {
      await admin.query(`ALTER SYSTEM SET ${setting} = off`);
      await admin.query('SELECT pg_reload_conf()');
      const isOff = async (): Promise<unknown> =>
        (await admin.query(`SELECT current_setting('${setting}') AS value`)).rows[0]?.value;
      await expect.poll(isOff).toBe('off');
      await expect(open().migrate()).rejects.toMatchObject({
        code: 'options_invalid',
        message: expect.stringContaining(setting),
      });
      const careless = postgresStore({
        connectionString: cluster.url,
        acceptDurability: 'process-crash',
      });
      await careless.migrate();
      expect(careless.capabilities.durability).toBe('process-crash');
      await careless.close();
      await admin.query(`ALTER SYSTEM RESET ${setting}`);
      await admin.query('SELECT pg_reload_conf()');
      await expect.poll(isOff).toBe('on');
    },
  );
});
