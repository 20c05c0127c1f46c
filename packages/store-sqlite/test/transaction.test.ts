import { DatabaseSync } from 'node:sqlite';
import { DurableApi } from '@durable-api/core';
import { sqliteStore } from '@durable-api/store-sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { dataPath } from './support/data-folder.ts';

const NAME = 'report';

/** An app with a table of its own in the store's file. */
async function begin(): Promise<{
  path: string;
  api: DurableApi;
  db: DatabaseSync;
  bodies: unknown[];
}> {
  const path = dataPath();
  const bodies: unknown[] = [];
  const api = new DurableApi({ store: sqliteStore(path) });
  onTestFinished(() => api.stop());
  api.declare({
    name: NAME,
    run: async (input) => {
      bodies.push(input);
      return { status: 200, headers: {}, body: new Uint8Array() };
    },
  });
  await api.ready();
  const db = new DatabaseSync(path, { timeout: 5_000 });
  onTestFinished(() => db.close());
  db.exec('CREATE TABLE orders (id INTEGER)');
  return { path, api, db, bodies };
}

describe('a submit in a transaction on the handle of the app', () => {
  it('is there and run once that commits, together with rows of the app', async () => {
    const { path, api, db, bodies } = await begin();
    db.exec('BEGIN');
    db.prepare('INSERT INTO orders VALUES (?)').run(7);
    const submit = api.intents.submit(NAME, { body: { order: 7 } }, { transaction: db });
    const { id } = (await submit).record;
    const outside = new DatabaseSync(path, { readOnly: true });
    expect(outside.prepare('SELECT count(*) AS n FROM intents').get()).toEqual({ n: 0 });
    outside.close();
    db.exec('COMMIT');
    const status = async (): Promise<unknown> => (await api.intents.get(id))?.status;
    await expect.poll(status).toBe('COMPLETED');
    expect(bodies).toEqual([{ body: { order: 7 }, rest: {} }]);
    expect(db.prepare('SELECT count(*) AS n FROM orders').get()).toEqual({ n: 1 });
  });

  it('never was when that rolls back', async () => {
    const { api, db } = await begin();
    db.exec('BEGIN');
    await api.intents.submit(NAME, {}, { transaction: db, idempotencyKey: 'k' });
    db.exec('ROLLBACK');
    expect(await api.intents.list()).toEqual([]);
    const again = await api.intents.submit(NAME, {}, { idempotencyKey: 'k' });
    expect(again.isReplayed).toBe(false);
  });

  it('gives the earlier intent of its idempotency key, also one of the same transaction', async () => {
    const { api, db } = await begin();
    const before = await api.intents.submit(NAME, { body: 1 }, { idempotencyKey: 'before' });
    db.exec('BEGIN');
    const options = { transaction: db, idempotencyKey: 'before' };
    const replay = await api.intents.submit(NAME, { body: 1 }, options);
    expect(replay).toMatchObject({ isReplayed: true, record: { id: before.record.id } });
    const fresh = { transaction: db, idempotencyKey: 'fresh' };
    const first = await api.intents.submit(NAME, { body: 2 }, fresh);
    const second = await api.intents.submit(NAME, { body: 2 }, fresh);
    expect([first.isReplayed, second.isReplayed]).toEqual([false, true]);
    expect(second.record).toEqual(first.record);
    db.exec('COMMIT');
    expect(await api.intents.list()).toHaveLength(2);
  });

  it('gives the one that is under way with its live key, also one of the same transaction', async () => {
    const { api, db } = await begin();
    const startAfterMs = 3_600_000;
    const before = await api.intents.submit(NAME, {}, { dedupeKey: 'a', startAfterMs });
    db.exec('BEGIN');
    const submit = (dedupeKey: string) =>
      api.intents.submit(NAME, {}, { transaction: db, dedupeKey, startAfterMs });
    const id = before.record.id;
    expect(await submit('a')).toMatchObject({ isDeduplicated: true, record: { id } });
    const first = await submit('b');
    expect(first.isDeduplicated).toBe(false);
    expect(await submit('b')).toMatchObject({ isDeduplicated: true, record: first.record });
    db.exec('ROLLBACK');
    const again = await api.intents.submit(NAME, {}, { dedupeKey: 'b', startAfterMs });
    expect(again.isDeduplicated).toBe(false);
  });

  it('wakes up another process that works', async () => {
    const { path, db, bodies } = await begin();
    const submitting = new DurableApi({ store: sqliteStore(path), worker: false });
    onTestFinished(() => submitting.stop());
    submitting.declare({ name: NAME, run: () => Promise.reject(new Error('Not here.')) });
    await submitting.ready();
    db.exec('BEGIN');
    await submitting.intents.submit(NAME, { body: 'elsewhere' }, { transaction: db });
    db.exec('COMMIT');
    await expect.poll(() => bodies).toEqual([{ body: 'elsewhere', rest: {} }]);
  });

  it('takes a handle that has attached the file to another one', async () => {
    const { path, api, bodies } = await begin();
    const own = new DatabaseSync(dataPath());
    onTestFinished(() => own.close());
    own.prepare('ATTACH ? AS durable').run(path);
    own.exec('BEGIN');
    await api.intents.submit(NAME, { body: 'attached' }, { transaction: own });
    own.exec('COMMIT');
    await expect.poll(() => bodies).toEqual([{ body: 'attached', rest: {} }]);
  });

  it('is refused without a transaction, on another file, and for what is no handle', async () => {
    const { api, db } = await begin();
    const other = new DatabaseSync(':memory:');
    other.exec('BEGIN');
    for (const [transaction, why] of [
      [db, 'BEGIN'],
      [other, 'file'],
      ['BEGIN', 'DatabaseSync'],
    ] as const) {
      await expect(api.intents.submit(NAME, {}, { transaction })).rejects.toMatchObject({
        code: 'options_invalid',
        message: expect.stringContaining(why),
      });
    }
    other.close();
    expect(await api.intents.list()).toEqual([]);
  });

  it('says that the file is held by others when it cannot write', async () => {
    const { path, api, db } = await begin();
    const holding = new DatabaseSync(path);
    holding.exec('BEGIN IMMEDIATE');
    const hasty = new DatabaseSync(path, { timeout: 1 });
    hasty.exec('BEGIN');
    await expect(api.intents.submit(NAME, {}, { transaction: hasty })).rejects.toMatchObject({
      code: 'store_unavailable',
    });
    hasty.close();
    holding.exec('ROLLBACK');
    holding.close();
    db.exec('BEGIN');
    await api.intents.submit(NAME, {}, { transaction: db });
    db.exec('COMMIT');
    expect(await api.intents.list()).toHaveLength(1);
  });
});
