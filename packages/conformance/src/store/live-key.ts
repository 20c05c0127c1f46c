import type { Command, IntentRecord } from '@durable-api/core';
import { describe, expect, it } from 'vitest';
import { response, StoreScene } from './scene.ts';
import type { StoreSuite } from './suite.ts';

/** Far enough ahead that nobody claims it. */
const LATER_MS = 3_600_000;

/** Cases about live keys, and about the inputs of what has not started. */
export function liveKeyCases(suite: StoreSuite): void {
  const play = (body: (scene: StoreScene) => Promise<void>) => () => StoreScene.play(suite, body);

  describe('a live key', () => {
    it(
      'that an intent has wins over the newcomer, which leaves no trace',
      play(async (scene) => {
        const { record } = await scene.submit({ liveKey: 'end:1' });
        const newcomer = await scene.request({ liveKey: 'end:1', key: 'k' });
        expect(await scene.store.submit([newcomer])).toEqual([{ outcome: 'exists', record }]);
        expect(await scene.store.get({ ids: [newcomer.record.id] })).toEqual([undefined]);
        expect(await scene.log(newcomer.record.id)).toEqual([]);
        expect((await scene.claim()).claimed).toHaveLength(1);
        expect((await scene.store.stats()).byStatus).toEqual({ SUBMITTED: 1 });
        expect(await scene.store.submit([await scene.request({ key: 'k' })])).toEqual([
          { outcome: 'created' },
        ]);
      }),
    );

    it(
      'is a part of the record, wherever that is read',
      play(async (scene) => {
        const { record } = await scene.submit({ liveKey: 'end:1' });
        expect(record.liveKey).toBe('end:1');
        expect(await scene.read(record.id)).toEqual(record);
        expect(await scene.store.list({ limit: 10 })).toEqual([record]);
        const [claimed] = (await scene.claim()).claimed;
        expect(claimed?.record.liveKey).toBe('end:1');
        expect(await scene.submit()).not.toHaveProperty('record.liveKey');
      }),
    );

    it(
      'wins within one batch too, and others of the batch are stored',
      play(async (scene) => {
        const first = await scene.request({ liveKey: 'end:1' });
        const other = await scene.request({ liveKey: 'end:2' });
        const second = await scene.request({ liveKey: 'end:1' });
        const none = await scene.request();
        const results = await scene.store.submit([first, other, second, none]);
        expect(results).toEqual([
          { outcome: 'created' },
          { outcome: 'created' },
          { outcome: 'exists', record: first.record },
          { outcome: 'created' },
        ]);
      }),
    );

    it(
      'is exact: neither case nor blanks nor accents are folded',
      play(async (scene) => {
        const keys = ['end:a', 'end:A', 'end:a ', 'end:á', 'end:a\u0301', 'end:a%', 'start:a'];
        const batch = [];
        for (const liveKey of keys) batch.push(await scene.request({ liveKey }));
        const results = await scene.store.submit(batch);
        expect(results).toEqual(keys.map(() => ({ outcome: 'created' })));
      }),
    );

    const ends: readonly (readonly [string, (record: IntentRecord) => readonly Command[]])[] = [
      ['COMPLETED', () => [{ type: 'start' }, { type: 'complete', result: response('done') }]],
      ['CANCELED', () => [{ type: 'cancel' }]],
      ['TIMED_OUT', () => [{ type: 'timeOut' }]],
    ];
    for (const [status, commands] of ends)
      it(
        `is free once its intent is ${status}, again and again`,
        play(async (scene) => {
          for (let round = 0; round < 3; round += 1) {
            let { record } = await scene.claimed({ liveKey: 'end:1' });
            for (const command of commands(record)) {
              const newcomer = await scene.request({ liveKey: 'end:1' });
              const [result] = await scene.store.submit([newcomer]);
              expect(result).toMatchObject({ outcome: 'exists', record: { id: record.id } });
              record = await scene.apply(record, command);
            }
            expect(await scene.read(record.id)).toEqual(record);
            expect(record).toMatchObject({ status, liveKey: 'end:1' });
          }
        }),
      );

    it(
      'is free once its intent has given it up, which goes on without it',
      play(async (scene) => {
        const { record } = await scene.claimed({ liveKey: 'start:1' });
        const started = await scene.apply(record, { type: 'start' });
        expect(started).not.toHaveProperty('liveKey');
        expect(await scene.read(record.id)).toEqual(started);
        const { record: next } = await scene.submit({ liveKey: 'start:1' });
        await scene.apply(started, { type: 'complete', result: response('done') });
        const newcomer = await scene.request({ liveKey: 'start:1' });
        expect(await scene.store.submit([newcomer])).toEqual([{ outcome: 'exists', record: next }]);
      }),
    );

    it(
      'is still taken after a change that was not written',
      play(async (scene) => {
        const { record } = await scene.claimed({ liveKey: 'start:1' });
        const change = await scene.change(record, { type: 'start' }, record.lease + 1);
        expect(await scene.store.commit([change])).toEqual([{ outcome: 'stale' }]);
        const [result] = await scene.store.submit([await scene.request({ liveKey: 'start:1' })]);
        expect(result).toMatchObject({ outcome: 'exists', record: { id: record.id } });
      }),
    );

    it(
      'is found after an idempotency key and an id, and is not taken by who loses by these',
      play(async (scene) => {
        const { record: byKey } = await scene.submit({ key: 'k' });
        const { record: byLiveKey } = await scene.submit({ liveKey: 'end:1', key: 'other' });
        const submit = async (wish: Parameters<typeof scene.request>[0]): Promise<unknown> =>
          (await scene.store.submit([await scene.request(wish)]))[0];
        expect(await submit({ key: 'k', liveKey: 'end:1' })).toEqual({
          outcome: 'exists',
          record: byKey,
        });
        expect(await submit({ id: byKey.id, liveKey: 'end:1' })).toEqual({
          outcome: 'exists',
          record: byKey,
        });
        expect(await submit({ key: 'fresh', liveKey: 'end:1' })).toEqual({
          outcome: 'exists',
          record: byLiveKey,
        });
        expect(await submit({ key: 'k', liveKey: 'end:2' })).toEqual({
          outcome: 'exists',
          record: byKey,
        });
        expect(await submit({ id: byKey.id, liveKey: 'end:2' })).toEqual({
          outcome: 'exists',
          record: byKey,
        });
        expect(await submit({ key: 'fresh', liveKey: 'end:2' })).toEqual({ outcome: 'created' });
      }),
    );

    it(
      'finds its own intent when a submit is repeated, also after its end',
      play(async (scene) => {
        const request = await scene.submit({ liveKey: 'end:1', key: 'k' });
        const again = await scene.store.submit([request]);
        expect(again).toEqual([{ outcome: 'exists', record: request.record }]);
        const [claimed] = (await scene.claim()).claimed;
        if (claimed === undefined) throw new Error('Nothing was claimed.');
        const ended = await scene.apply(claimed.record, { type: 'cancel' });
        expect(await scene.store.submit([request])).toEqual([{ outcome: 'exists', record: ended }]);
        expect((await scene.store.stats()).byStatus).toEqual({ CANCELED: 1 });
      }),
    );

    it(
      'is free when its intent has been pruned',
      play(async (scene) => {
        const { record } = await scene.claimed({ liveKey: 'end:1' });
        await scene.apply(record, { type: 'cancel' });
        await scene.pass(10);
        const now = await scene.now();
        const pruned = { now, endedBefore: now, keyedBefore: now, limit: 10 };
        expect(await scene.store.prune(pruned)).toBe(1);
        expect(await scene.store.submit([await scene.request({ liveKey: 'end:1' })])).toEqual([
          { outcome: 'created' },
        ]);
      }),
    );
  });

  describe('an input that a commit replaces', () => {
    const postponed = async (scene: StoreScene) => {
      const startAt = (await scene.now()) + LATER_MS;
      const { record } = await scene.submit({ liveKey: 'start:1', startAt });
      const change = await scene.change(record, { type: 'postpone', startAt: startAt + 5 });
      return { record, change: { ...change, input: '{"body":"née — 2"}' } };
    };

    it(
      'is the input from then on, for who reads it and who claims it',
      play(async (scene) => {
        const now = await scene.now();
        const { record } = await scene.submit({ liveKey: 'start:1', startAt: now + 1 });
        const change = await scene.change(record, { type: 'postpone', startAt: now });
        const input = '{"body":"née — 2"}';
        expect(await scene.store.commit([{ ...change, input }])).toEqual([{ outcome: 'ok' }]);
        const [found] = await scene.store.get({ ids: [record.id], include: 'input' });
        expect(found).toEqual({ record: change.record, input });
        await scene.pass(2);
        const [claimed] = (await scene.claim()).claimed;
        expect(claimed).toMatchObject({ input, record: { id: record.id } });
        expect(await scene.log(record.id)).toHaveLength(change.record.seq);
      }),
    );

    it(
      'moves when its intent is due',
      play(async (scene) => {
        const { change } = await postponed(scene);
        expect(await scene.store.commit([change])).toEqual([{ outcome: 'ok' }]);
        expect(await scene.claim()).toMatchObject({ nextDueAt: change.record.dueAt, claimed: [] });
      }),
    );

    it(
      'takes the lease from who has claimed and not begun',
      play(async (scene) => {
        const startAt = (await scene.now()) + 1;
        const { record } = await scene.submit({ liveKey: 'start:1', startAt });
        await scene.pass(2);
        const [claimed] = (await scene.claim()).claimed;
        if (claimed === undefined) throw new Error('Nothing was claimed.');
        const put = await scene.change(record, { type: 'postpone', startAt: startAt + LATER_MS });
        expect(await scene.store.commit([{ ...put, input: '{}' }])).toEqual([{ outcome: 'ok' }]);
        const start = await scene.change(claimed.record, { type: 'start' });
        expect(await scene.store.commit([start])).toEqual([{ outcome: 'stale' }]);
        expect(await scene.read(record.id)).toMatchObject({
          holder: null,
          lostLeases: 0,
          dueAt: startAt + LATER_MS,
        });
      }),
    );

    it(
      'stays what it was when the guard does not hold',
      play(async (scene) => {
        const { record, change } = await postponed(scene);
        const late = { ...change, expected: { seq: record.seq - 1, lease: null } };
        expect(await scene.store.commit([late])).toEqual([{ outcome: 'moved', record }]);
        const [found] = await scene.store.get({ ids: [record.id], include: 'input' });
        expect(found?.input).toBe(`{"body":{"for":"${record.id}"}}`);
      }),
    );
  });
}
