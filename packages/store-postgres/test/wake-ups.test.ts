import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Store, WatchHint } from '@durable-api/core';
import { postgresStore, type PostgresStoreOptions } from '@durable-api/store-postgres';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimOne, submitRequest } from './support/intents.ts';
import { ManualClock } from './support/manual-clock.ts';
import { Proxy } from './support/proxy.ts';
import { findTestDatabase } from './support/test-database.ts';

const database = await findTestDatabase();
const run = promisify(execFile);

describe.skipIf(database === null)('wake-ups', () => {
  if (database === null) return;
  let schema: ReturnType<typeof database.schema>;
  let proxy: Proxy;
  const stores: Store[] = [];

  beforeEach(async () => {
    schema = database.emptySchema();
    proxy = await Proxy.start(database.url);
  });

  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await proxy.stop();
    await schema.drop();
  });

  afterAll(() => database.end());

  const open = async (options: Partial<PostgresStoreOptions> = {}): Promise<Store> => {
    const where = options.pool === undefined ? { connectionString: database.url } : {};
    const store = postgresStore({ ...where, schema: schema.name, ...options });
    stores.push(store);
    await store.migrate();
    return store;
  };

  /** Watches a store, and waits until it hears the others: then it looks at everything once. */
  const listen = async (store: Store): Promise<WatchHint[]> => {
    const hints: WatchHint[] = [];
    store.watch((hint) => hints.push(hint));
    await expect.poll(() => hints, { interval: 2 }).toEqual([{ ids: null }]);
    hints.length = 0;
    return hints;
  };

  const listeningPids = async (): Promise<number[]> => {
    const { rows } = await database.pool.query(
      `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'
        AND objid = (hashtext($1)::bigint & 4294967295)::oid`,
      [schema.name],
    );
    return rows.map((row) => row.pid);
  };

  it('name what another process wrote', async () => {
    const hints = await listen(await open());
    const other = await open();
    const request = submitRequest();
    await other.submit([request]);
    await expect.poll(() => hints, { interval: 2 }).toEqual([{ ids: [request.record.id] }]);
  });

  it('do not tell a process of what it wrote itself', async () => {
    const store = await open();
    const hints = await listen(store);
    const other = await open();
    await store.submit([submitRequest()]);
    const request = submitRequest();
    await other.submit([request]);
    await expect.poll(() => hints.length, { interval: 2 }).toBeGreaterThan(0);
    expect(hints).toEqual([{ ids: [request.record.id] }]);
  });

  it('stay within their schema', async () => {
    const hints = await listen(await open());
    const elsewhere = database.emptySchema();
    const foreign = await open({ schema: elsewhere.name });
    await foreign.submit([submitRequest()]);
    const other = await open();
    const request = submitRequest();
    await other.submit([request]);
    await expect.poll(() => hints.length, { interval: 2 }).toBeGreaterThan(0);
    expect(hints).toEqual([{ ids: [request.record.id] }]);
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await elsewhere.drop();
  });

  it('say "look at everything" for more ids than a payload holds', async () => {
    const hints = await listen(await open());
    const other = await open();
    await other.submit(Array.from({ length: 500 }, () => submitRequest()));
    await expect.poll(() => hints, { interval: 2 }).toEqual([{ ids: null }]);
  });

  it('of a burst of writes are few, and name each of them', async () => {
    const hints = await listen(await open());
    const other = await open();
    const requests = Array.from({ length: 100 }, () => submitRequest());
    await Promise.all(requests.map((request) => other.submit([request])));
    const named = (): string[] => hints.flatMap(({ ids }) => ids ?? []).sort();
    await expect
      .poll(named, { interval: 2 })
      .toEqual(requests.map(({ record }) => record.id).sort());
    expect(hints.length).toBeLessThan(50);
  });

  it('come in again after the listening connection was lost', async () => {
    const store = await open({ connectionString: proxy.url });
    const hints = await listen(store);
    proxy.cut();
    // Once as it is lost, and once as it is back: what was written meanwhile was not heard.
    await expect.poll(() => hints, { interval: 2 }).toEqual([{ ids: null }, { ids: null }]);
    const other = await open();
    const request = submitRequest();
    await other.submit([request]);
    await expect.poll(() => hints.at(-1), { interval: 2 }).toEqual({ ids: [request.record.id] });
  });

  it('come in again after the listening backend was terminated', async () => {
    const hints = await listen(await open());
    const [pid] = await listeningPids();
    await database.pool.query('SELECT pg_terminate_backend($1)', [pid]);
    await expect.poll(() => hints, { interval: 2 }).toEqual([{ ids: null }, { ids: null }]);
  });

  it('are replaced by a look at everything every 5 s where LISTEN delivers nothing', async () => {
    const clock = new ManualClock();
    const warnings: string[] = [];
    const warn = (_: object, message: string): void => void warnings.push(message);
    const logger = { debug: () => {}, info: () => {}, warn, error: () => {} };
    proxy.isDeaf = true;
    const store = await open({ connectionString: proxy.url, clock, logger });
    const hints: WatchHint[] = [];
    store.watch((hint) => hints.push(hint));
    await expect.poll(() => proxy.asked.some((text) => text.includes('durable-test'))).toBe(true);
    for (let second = 1; second <= 60; second += 1) {
      clock.advance(1_000);
      // Lets the tries to listen go on, each of which takes some round trips.
      await store.stats();
    }
    expect(hints.length).toBeGreaterThanOrEqual(12);
    expect(hints.length).toBeLessThanOrEqual(15);
    expect(hints.every(({ ids }) => ids === null)).toBe(true);
    await expect.poll(() => warnings.length).toBe(1);
    expect(warnings[0]).toContain('listenUrl');
  });

  it('go over listenUrl where the pool leads to a pooler', async () => {
    proxy.isDeaf = true;
    const store = await open({ connectionString: proxy.url, listenUrl: database.url });
    const hints = await listen(store);
    const other = await open({ connectionString: proxy.url });
    const request = submitRequest();
    await other.submit([request]);
    await expect.poll(() => hints, { interval: 2 }).toEqual([{ ids: [request.record.id] }]);
  });

  it('cost one process of all a small statement every 2 s, and nobody anything else', async () => {
    const clock = new ManualClock();
    const store = await open({ connectionString: proxy.url, clock, random: () => 0.999 });
    const hints = await listen(store);
    proxy.asked.length = 0;
    // It waits for the beat of another one.
    clock.advance(2_990);
    expect([hints, proxy.asked]).toEqual([[], []]);
    clock.advance(10);
    await expect.poll(() => hints).toEqual([{ ids: null }]);
    expect(proxy.asked).toHaveLength(3);
    const other = await open();
    for (let beats = 1; beats <= 10; beats += 1) {
      hints.length = 0;
      proxy.asked.length = 0;
      clock.advance(2_000);
      await expect.poll(() => proxy.asked).toEqual([expect.stringContaining('pg_locks')]);
      // A wake-up over the same connection comes after the answer, which sets the next beat off.
      const request = submitRequest();
      await other.submit([request]);
      await expect.poll(() => hints).toEqual([{ ids: [request.record.id] }]);
    }
  });

  it('that a killed process had no time to send are made up for', async () => {
    const clock = new ManualClock();
    const hints = await listen(await open({ clock }));
    clock.advance(4_000);
    await expect.poll(() => hints).toEqual([{ ids: null }]);
    hints.length = 0;
    const died = await run(process.execPath, [
      '--conditions=durable-source',
      fileURLToPath(new URL('support/dying-process.ts', import.meta.url)),
      database.url,
      schema.name,
    ]).catch((error: { signal?: string }) => error.signal);
    expect(died).toBe('SIGKILL');
    const other = await open();
    expect((await other.stats()).byStatus).toEqual({ SUBMITTED: 1 });
    expect(hints).toEqual([]);
    const missed = async (): Promise<readonly WatchHint[]> => {
      clock.advance(2_000);
      await other.stats();
      return hints;
    };
    await expect.poll(missed).toEqual([{ ids: null }]);
  });

  it('notice within 5 s that the listening connection is dead but does not know it', async () => {
    const clock = new ManualClock();
    const direct = await Proxy.start(database.url);
    const urls = { connectionString: proxy.url, listenUrl: direct.url };
    const hints = await listen(await open({ ...urls, clock, random: () => 0.999 }));
    direct.isSilent = true;
    direct.asked.length = 0;
    clock.advance(3_000);
    await expect.poll(() => direct.asked.length).toBe(1);
    hints.length = 0;
    clock.advance(2_000);
    await expect.poll(() => hints, { interval: 2 }).toEqual([{ ids: null }]);
    direct.isSilent = false;
    await direct.stop();
  });

  it('do not hold up the end of a store that still tries to listen', async () => {
    proxy.isDeaf = true;
    const store = await open({ connectionString: proxy.url, clock: new ManualClock() });
    proxy.asked.length = 0;
    store.watch(() => {});
    await expect.poll(() => proxy.asked.some((text) => text.includes('durable-test'))).toBe(true);
    await store.close();
  });

  it('reach the others before a store has closed', async () => {
    const hints = await listen(await open());
    const other = await open();
    const record = await claimOne(other);
    await expect.poll(() => hints.length, { interval: 2 }).toBe(1);
    hints.length = 0;
    const leases = [{ id: record.id, lease: record.lease, release: true }];
    await other.renew({ now: 0, leaseMs: 1_000, leases });
    await other.close();
    await expect.poll(() => hints, { interval: 2 }).toEqual([{ ids: [record.id] }]);
  });
});
