import { storeConformance } from '@durable-api/conformance';
import type { Store, WatchHint } from '@durable-api/core';
import { postgresStore, type PostgresStoreOptions } from '@durable-api/store-postgres';
import { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, findClusterTools } from './support/cluster.ts';
import { claimOne, commitRequest, completes, submitRequest } from './support/intents.ts';
import { hasPgBouncer, PgBouncer } from './support/pg-bouncer.ts';

const PATIENT = { timeout: 60_000 };
const tools = (await hasPgBouncer()) ? await findClusterTools() : null;

describe.skipIf(tools === null)('behind a PgBouncer in transaction mode', () => {
  if (tools === null) return;
  let cluster: Cluster;
  let bouncer: PgBouncer;
  let schemas = 0;
  const stores: Store[] = [];

  beforeAll(async () => {
    cluster = await Cluster.start(tools);
    bouncer = await PgBouncer.start(cluster.url);
  }, 240_000);

  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
  });

  afterAll(async () => {
    await bouncer[Symbol.asyncDispose]();
    await cluster.remove();
  });

  const open = (options: Partial<PostgresStoreOptions> = {}): Store => {
    const store = postgresStore({ connectionString: bouncer.url, timeoutMs: 30_000, ...options });
    stores.push(store);
    return store;
  };

  it(
    'notices that LISTEN is swallowed, says so once, and is told to look every 5 s',
    PATIENT,
    async () => {
      const warnings: string[] = [];
      const warn = (_: object, message: string): void => void warnings.push(message);
      const store = open({ logger: { debug: () => {}, info: () => {}, warn, error: () => {} } });
      await store.migrate();
      const hints: WatchHint[] = [];
      const begunAt = performance.now();
      store.watch((hint) => hints.push(hint));
      await expect.poll(() => warnings, PATIENT).toEqual([expect.stringContaining('listenUrl')]);
      const other = open();
      const request = submitRequest();
      await other.submit([request]);
      await expect.poll(() => hints.length, PATIENT).toBeGreaterThanOrEqual(2);
      expect(performance.now() - begunAt).toBeGreaterThanOrEqual(8_000 * 0.99);
      expect(hints.every(({ ids }) => ids === null)).toBe(true);
      expect(await store.get({ ids: [request.record.id] })).toMatchObject([
        { record: request.record },
      ]);
      expect(warnings).toHaveLength(1);
    },
  );

  it('goes on when PgBouncer was restarted', PATIENT, async () => {
    const store = open({ schema: 'restarted' });
    await store.migrate();
    const record = await claimOne(store);
    const { url } = bouncer;
    await bouncer[Symbol.asyncDispose]();
    await expect(store.stats()).rejects.toMatchObject({ code: 'store_unavailable' });
    bouncer = await PgBouncer.start(cluster.url, Number(new URL(url).port));
    const outcome = (): Promise<unknown> =>
      store.commit([commitRequest(record, completes(1))]).catch(String);
    await expect.poll(outcome, PATIENT).toEqual([{ outcome: 'ok' }]);
  });

  it('leaves nothing on the connections that PgBouncer hands on to others', PATIENT, async () => {
    const warnings: unknown[] = [];
    const warn = (_: object, message: string): void => void warnings.push(message);
    const store = open({ schema: 'left', logger: { debug() {}, info() {}, warn, error() {} } });
    await store.migrate();
    store.watch(() => {});
    await store.submit([submitRequest()]);
    await expect.poll(() => warnings, PATIENT).toHaveLength(1);
    const app = new Pool({ connectionString: bouncer.url, max: 10 });
    const settings = await Promise.all(
      Array.from({ length: 20 }, () => app.query('SHOW synchronous_commit')),
    );
    for (const { rows } of settings) expect(rows).toEqual([{ synchronous_commit: 'on' }]);
    const locks = await app.query(`SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory'`);
    expect(locks.rows).toEqual([{ count: 0 }]);
    await app.end();
  });

  storeConformance('postgresStore with a listenUrl', {
    capabilities: {
      durability: 'power-loss',
      shared: true,
      watches: true,
      clock: 'store',
      transactions: true,
    },
    create() {
      schemas += 1;
      const schema = `suite_${schemas}`;
      const urls = { connectionString: bouncer.url, listenUrl: cluster.url };
      return {
        open: () => postgresStore({ ...urls, schema, timeoutMs: 30_000 }),
        dispose: () => {},
      };
    },
  });
});
