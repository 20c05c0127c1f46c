import { randomUUID } from 'node:crypto';
import type { Store } from '@durable-api/core';
import { redisStore } from '@durable-api/store-redis';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ownedLiveKey } from '../src/operations/live-key.ts';
import { packSubmit, type KeyedSubmit } from '../src/operations/packed-submit.ts';
import { findAbandoned, readReservation, reserve } from '../src/operations/reservations.ts';
import { shardOf, type Session } from '../src/session.ts';
import { describeWithServer } from './support/describe-with-server.ts';
import { claimAll, completion, submitRequest } from './support/intents.ts';
import { openSession } from './support/open-session.ts';
import { RedisServer } from './support/redis-server.ts';

const LIVE_KEY = 'end:a';
const KEY = ownedLiveKey(LIVE_KEY);

describeWithServer('a submit with a live key', () => {
  let server: RedisServer;
  let admin: Redis;
  beforeAll(async () => {
    server = await RedisServer.start();
    admin = server.connect();
  });
  afterAll(async () => {
    admin.disconnect();
    await server[Symbol.asyncDispose]();
  });

  describe.each([1, 8])('of %i shards', (shardCount) => {
    let prefix: string;
    let store: Store;
    let session: Session;
    beforeEach(async () => {
      prefix = randomUUID();
      store = await open();
      session = await openSession(server, prefix, shardCount);
    });
    afterEach(async () => {
      await session.connection.close();
      await store.close();
    });

    async function open(): Promise<Store> {
      const options = { url: server.url, prefix, shards: shardCount, timeoutMs: 30_000 };
      const opened = redisStore(options);
      await opened.migrate();
      return opened;
    }

    /** Runs the first step of a submit alone, as a process does that dies then. */
    async function reserveOnly(wish: Parameters<typeof submitRequest>[0] = {}): Promise<string> {
      const packed = packSubmit(submitRequest({ liveKey: LIVE_KEY, ...wish }));
      const submit: KeyedSubmit = { ...packed, key: KEY };
      const [reserved] = await reserve(session, [{ submit, replaces: '' }]);
      expect(reserved).toEqual({ status: 'fulfilled', value: null });
      return packed.id;
    }

    it('that died after the reserving is finished by the next one with the key', async () => {
      const lost = await reserveOnly({ key: 'idempotent' });
      const [answer] = await store.submit([submitRequest({ liveKey: LIVE_KEY })]);
      expect(answer).toMatchObject({ outcome: 'exists', record: { id: lost } });
      expect((await claimAll(store)).map(({ record }) => record.id)).toEqual([lost]);
      expect(await readReservation(session, KEY)).toBe(null);
      const [replay] = await store.submit([submitRequest({ key: 'idempotent' })]);
      expect(replay).toMatchObject({ outcome: 'exists', record: { id: lost } });
    });

    it('that died is finished by the next process that starts, though nobody uses the key again', async () => {
      const lost = await reserveOnly();
      const shard = shardOf(session, KEY);
      await admin.zadd(shard.reserved, Date.now() - 60_000, KEY);
      await (await open()).close();
      expect(await findAbandoned(session, shard, 0, 10)).toEqual([]);
      expect((await claimAll(store)).map(({ record }) => record.id)).toEqual([lost]);
    });

    it('that died and would have lost by its idempotency key gives the live key up', async () => {
      const other = submitRequest({ key: 'idempotent' });
      await store.submit([other]);
      await reserveOnly({ key: 'idempotent' });
      expect(await store.submit([submitRequest({ liveKey: LIVE_KEY })])).toEqual([
        { outcome: 'created' },
      ]);
      expect((await claimAll(store)).length).toBe(2);
    });

    it('replaces an owner that ended before it could free the key', async () => {
      const first = submitRequest({ liveKey: LIVE_KEY });
      await store.submit([first]);
      const [claimed] = await claimAll(store);
      if (claimed === undefined) throw new Error('It was not claimed.');
      const { freesLiveKey: _, ...end } = completion(claimed.record);
      expect(await store.commit([end])).toEqual([{ outcome: 'ok' }]);
      const second = submitRequest({ liveKey: LIVE_KEY });
      expect(await store.submit([second])).toEqual([{ outcome: 'created' }]);
      const [answer] = await store.submit([submitRequest({ liveKey: LIVE_KEY })]);
      expect(answer).toMatchObject({ outcome: 'exists', record: { id: second.record.id } });
    });

    it('leaves nothing behind once its intent has ended and been pruned', async () => {
      await store.submit([submitRequest({ liveKey: LIVE_KEY, key: 'idempotent' })]);
      const [claimed] = await claimAll(store);
      if (claimed === undefined) throw new Error('It was not claimed.');
      await store.commit([{ ...completion(claimed.record), freesLiveKey: LIVE_KEY }]);
      const far = Date.now() + 60_000;
      await store.prune({ now: far, endedBefore: far, keyedBefore: far, limit: 9 });
      await store.close();
      const kept = (await admin.keys(`{${prefix}*`)).filter(
        (key) => !/:(meta|stats|operations)\}?$/.test(key),
      );
      expect(kept).toEqual([]);
    });
  });
});
