import { randomUUID } from 'node:crypto';
import type { Store } from '@durable-api/core';
import { redisStore } from '@durable-api/store-redis';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { packSubmit, type KeyedSubmit } from '../src/operations/packed-submit.ts';
import { findAbandoned, readReservation, reserve } from '../src/operations/reservations.ts';
import { storeIntents } from '../src/operations/store-intents.ts';
import { shardOf, type Session } from '../src/session.ts';
import { describeWithServer } from './support/describe-with-server.ts';
import { claimAll, completion, newId, seqsOf, submitRequest } from './support/intents.ts';
import { openSession } from './support/open-session.ts';
import { RedisServer } from './support/redis-server.ts';

const SHARDS = 8;

describeWithServer('a submit with an idempotency key of another shard', () => {
  let server: RedisServer;
  let admin: Redis;
  let prefix: string;
  let store: Store;
  let session: Session;
  beforeAll(async () => {
    server = await RedisServer.start();
    admin = server.connect();
  });
  afterAll(async () => {
    admin.disconnect();
    await server[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    prefix = randomUUID();
    store = await open();
    session = await openSession(server, prefix, SHARDS);
  });
  afterEach(async () => {
    await session.connection.close();
    await store.close();
  });

  async function open(): Promise<Store> {
    const opened = redisStore({ url: server.url, prefix, shards: SHARDS, timeoutMs: 30_000 });
    await opened.migrate();
    return opened;
  }

  /** A submit whose key and id are in different shards. */
  function scattered(key: string): KeyedSubmit {
    for (;;) {
      const packed = packSubmit(submitRequest({ id: newId(), key }));
      if (shardOf(session, packed.id) !== shardOf(session, key)) return { ...packed, key };
    }
  }

  /** Runs the first step of a submit alone, as a process does that dies then. */
  async function reserveOnly(submit: KeyedSubmit): Promise<void> {
    const [reserved] = await reserve(session, [{ submit, replaces: '' }]);
    expect(reserved).toEqual({ status: 'fulfilled', value: null });
  }

  it('that died after the reserving is finished by the next one with the key', async () => {
    const lost = scattered('key');
    await reserveOnly(lost);
    expect(await store.get({ ids: [lost.id] })).toEqual([undefined]);
    const [answer] = await store.submit([submitRequest({ key: 'key' })]);
    expect(answer).toMatchObject({ outcome: 'exists', record: { id: lost.id } });
    expect((await claimAll(store)).map(({ record }) => record.id)).toEqual([lost.id]);
    expect(await seqsOf(store, lost.id)).toEqual([1, 2]);
    await expect.poll(() => readReservation(session, 'key')).toBe(null);
  });

  it('that died after the storing is what the next one with the key finds', async () => {
    const lost = scattered('key');
    await reserveOnly(lost);
    await storeIntents(session, [{ submit: lost, claimsKeyFrom: null }]);
    const [claimed] = await claimAll(store);
    if (claimed === undefined) throw new Error('It was not claimed.');
    await store.commit([completion(claimed.record)]);
    const [answer] = await store.submit([submitRequest({ key: 'key' })]);
    expect(answer).toMatchObject({
      outcome: 'exists',
      record: { id: lost.id, status: 'COMPLETED' },
    });
    expect(await claimAll(store)).toEqual([]);
    await expect.poll(() => readReservation(session, 'key')).toBe(null);
  });

  it('that others finish while it is under way is created once, by itself', async () => {
    // They run at once, again and again: in some rounds one finds the reservation of another alone.
    for (let round = 0; round < 50; round += 1) {
      const key = `key-${round}`;
      const requests = [submitRequest({ key }), submitRequest({ key }), submitRequest({ key })];
      const stores = [store, await open(), await open()];
      const answers = await Promise.all(
        requests.map(async (request, i) => (await stores[i]?.submit([request]))?.[0]),
      );
      await Promise.all(stores.slice(1).map((each) => each.close()));
      const created = answers.filter((answer) => answer?.outcome === 'created');
      expect(created).toHaveLength(1);
      const winner = requests[answers.findIndex((answer) => answer?.outcome === 'created')];
      for (const answer of answers) {
        if (answer?.outcome === 'exists') expect(answer.record.id).toBe(winner?.record.id);
      }
    }
    expect((await store.stats()).byStatus).toEqual({ SUBMITTED: 50 });
  });

  it('that died with an id of somebody else gives the key up', async () => {
    const other = submitRequest();
    await store.submit([other]);
    const lost = { ...scattered('key'), id: other.record.id };
    await reserveOnly(lost);
    const newcomer = submitRequest({ key: 'key' });
    expect(await store.submit([newcomer])).toEqual([{ outcome: 'created' }]);
    const [again] = await store.submit([submitRequest({ key: 'key' })]);
    expect(again).toMatchObject({ outcome: 'exists', record: { id: newcomer.record.id } });
    expect(await store.get({ ids: [other.record.id] })).toEqual([{ record: other.record }]);
  });

  it('that died is finished by the next process that starts, though nobody uses the key again', async () => {
    const lost = scattered('key');
    await reserveOnly(lost);
    const shard = shardOf(session, 'key');
    await (await open()).close();
    // It might still be under way.
    expect(await findAbandoned(session, shard, 0, 10)).toEqual(['key']);
    await admin.zadd(shard.reserved, Date.now() - 60_000, 'key');
    await (await open()).close();
    expect(await findAbandoned(session, shard, 0, 10)).toEqual([]);
    expect((await claimAll(store)).map(({ record }) => record.id)).toEqual([lost.id]);
    const [answer] = await store.submit([submitRequest({ key: 'key' })]);
    expect(answer).toMatchObject({ outcome: 'exists', record: { id: lost.id } });
  });

  it('that died is finished by a prune too', async () => {
    const lost = scattered('key');
    await reserveOnly(lost);
    await admin.zadd(shardOf(session, 'key').reserved, Date.now() - 60_000, 'key');
    await store.prune({ now: 0, endedBefore: 0, keyedBefore: 0, limit: 10 });
    expect((await claimAll(store)).map(({ record }) => record.id)).toEqual([lost.id]);
  });

  it('leaves no reservation behind when all goes well', async () => {
    const batch = Array.from({ length: 100 }, (_, i) => submitRequest({ key: `key-${i}` }));
    await store.submit(batch);
    await store.close();
    for (const shard of session.shards) {
      expect(await admin.zcard(shard.reserved)).toBe(0);
    }
    expect(await admin.keys(`{${prefix}:*:r:*`)).toEqual([]);
  });

  it('replaces an owner that is gone', async () => {
    const gone = scattered('key');
    await store.submit([submitRequest({ id: gone.id, key: 'key' })]);
    await expect.poll(() => readReservation(session, 'key')).toBe(null);
    await admin.del(shardOf(session, gone.id).intent(gone.id));
    const newcomer = submitRequest({ key: 'key' });
    expect(await store.submit([newcomer])).toEqual([{ outcome: 'created' }]);
    const [again] = await store.submit([submitRequest({ key: 'key' })]);
    expect(again).toMatchObject({ outcome: 'exists', record: { id: newcomer.record.id } });
  });

  it('keeps its key when a prune that had died goes on to remove the key’s former owner', async () => {
    const first = scattered('key');
    await store.submit([submitRequest({ id: first.id, key: 'key' })]);
    const [claimed] = await claimAll(store);
    if (claimed === undefined) throw new Error('It was not claimed.');
    await store.commit([completion(claimed.record)]);
    await expect.poll(() => readReservation(session, 'key')).toBe(null);
    // The first half of a prune: the key is free, the intent still there.
    await admin.del(shardOf(session, 'key').keyOwner('key'));
    const second = submitRequest({ key: 'key' });
    expect(await store.submit([second])).toEqual([{ outcome: 'created' }]);
    const far = Date.now() + 60_000;
    expect(await store.prune({ now: far, endedBefore: far, keyedBefore: far, limit: 9 })).toBe(1);
    expect(await store.get({ ids: [first.id] })).toEqual([undefined]);
    const [again] = await store.submit([submitRequest({ key: 'key' })]);
    expect(again).toMatchObject({ outcome: 'exists', record: { id: second.record.id } });
  });
});
