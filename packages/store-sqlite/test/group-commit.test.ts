import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sqliteStore } from '@durable-api/store-sqlite';
import { dataPath } from './support/data-folder.ts';
import { claimRequest, commitRequest, submitRequest } from './support/intents.ts';
import { openStore } from './support/open-store.ts';
import { walCommits } from './support/wal-commits.ts';

/** Holds the write lock of `path` as another process would. */
function holdLock(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  onTestFinished(() => db.close());
  db.exec('BEGIN IMMEDIATE');
  return db;
}

/** Lets the event loop turn; each turn sends what was called before as a message of its own. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('group commit', () => {
  it('makes one transaction of what gathers while another one cannot commit yet', async () => {
    const path = dataPath();
    const store = await openStore(path);
    const eager = { holder: 'here', until: Date.now() + 600_000 };
    const running = submitRequest({ eager });
    await store.submit([running, submitRequest()]);
    const before = walCommits(path);
    const lock = holdLock(path);
    const calls: Promise<unknown>[] = [store.submit([submitRequest()])];
    await turn();
    for (let i = 0; i < 30; i += 1) {
      calls.push(store.submit([submitRequest()]));
      await turn();
    }
    calls.push(store.claim({ ...claimRequest('here'), limit: 1 }));
    await turn();
    const leases = [{ id: running.record.id, lease: 1 }];
    calls.push(store.renew({ now: Date.now(), leaseMs: 60_000, leases }));
    await turn();
    calls.push(store.commit([commitRequest(running.record, { type: 'cancel' })]));
    await turn();
    lock.exec('ROLLBACK');
    await Promise.all(calls);
    // The first call may have begun to wait for the lock alone; all the others are one.
    expect(walCommits(path) - before).toBeLessThanOrEqual(2);
    expect((await store.stats()).byStatus).toEqual({ SUBMITTED: 32, CANCELED: 1 });
  });

  it('makes one transaction of the calls of one tick', async () => {
    const path = dataPath();
    const store = await openStore(path);
    const before = walCommits(path);
    await Promise.all(Array.from({ length: 50 }, () => store.submit([submitRequest()])));
    expect(walCommits(path) - before).toBe(1);
  });

  it('commits calls that come one after the other one by one', async () => {
    const path = dataPath();
    const store = await openStore(path);
    const before = walCommits(path);
    for (let i = 0; i < 5; i += 1) await store.submit([submitRequest()]);
    expect(walCommits(path) - before).toBe(5);
  });

  it('does not let a call that cannot be stored fail those beside it', async () => {
    const store = await openStore(dataPath());
    const good = [submitRequest(), submitRequest()];
    const bad = submitRequest();
    const results = await Promise.allSettled([
      store.submit(good.slice(0, 1)),
      store.submit([{ ...bad, record: { ...bad.record, createdAt: 0.5 } }]),
      store.submit(good.slice(1)),
    ]);
    expect(results).toMatchObject([
      { status: 'fulfilled', value: [{ outcome: 'created' }] },
      { status: 'rejected', reason: { name: 'DurableError' } },
      { status: 'fulfilled', value: [{ outcome: 'created' }] },
    ]);
    expect((await store.stats()).byStatus).toEqual({ SUBMITTED: 2 });
  });

  it('stores nothing of a call of which one part cannot be stored', async () => {
    const store = await openStore(dataPath());
    const [good, bad] = [submitRequest(), submitRequest()];
    const batch = [good, { ...bad, record: { ...bad.record, createdAt: 0.5 } }];
    await expect(store.submit(batch)).rejects.toThrow('SQLite');
    expect((await store.stats()).byStatus).toEqual({});
  });
});

describe('while another process has the write lock', () => {
  it('the event loop turns, reads are answered, and the write waits', async () => {
    const path = dataPath();
    const store = await openStore(path);
    const { record } = submitRequest();
    const lock = holdLock(path);
    const request = { ...submitRequest(), record };
    let isStored = false;
    const stored = store.submit([request]).then(() => (isStored = true));
    for (let turns = 0; turns < 1_000; turns += 1) await turn();
    expect(isStored).toBe(false);
    const other = sqliteStore(path);
    onTestFinished(() => other.close());
    expect(await other.get({ ids: [record.id] })).toEqual([undefined]);
    lock.exec('ROLLBACK');
    await stored;
    expect(await other.get({ ids: [record.id] })).toEqual([{ record }]);
  });

  it('for too long, writes are refused with when to come back, and go on afterwards', async () => {
    const path = dataPath();
    const store = await openStore(path);
    const lock = holdLock(path);
    const submits = [1, 2, 3].map(() => store.submit([submitRequest()]));
    for (const result of await Promise.allSettled(submits)) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { code: 'store_unavailable', status: 503, options: { retryAfterSeconds: 1 } },
      });
    }
    lock.exec('ROLLBACK');
    expect(await store.submit([submitRequest()])).toEqual([{ outcome: 'created' }]);
  });
});
