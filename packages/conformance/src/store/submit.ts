import { describe, expect, it } from 'vitest';
import { StoreScene } from './scene.ts';
import type { StoreSuite } from './suite.ts';

/** Cases about storing new intents. */
export function submitCases(suite: StoreSuite): void {
  const play = (body: (scene: StoreScene) => Promise<void>) => () => StoreScene.play(suite, body);

  describe('submit', () => {
    it(
      'stores the record, the events and the input together',
      play(async (scene) => {
        const request = await scene.request({ owner: 'tenant-1', deadlineAt: 4e12, key: 'k' });
        expect(await scene.store.submit([request])).toEqual([{ outcome: 'created' }]);
        const found = await scene.store.get({ ids: [request.record.id], include: 'input' });
        expect(found).toEqual([{ record: request.record, input: request.input }]);
        expect(await scene.log(request.record.id)).toEqual(request.events);
      }),
    );

    it(
      'keeps what an intent was retried from, to its end',
      play(async (scene) => {
        const { record: old } = await scene.submit({ operation: 'other' });
        for (const key of [{}, { key: 'k' }]) {
          const done = await scene.completed({ retriedFrom: old.id, ...key });
          expect(done.retriedFrom).toBe(old.id);
          expect(await scene.read(done.id)).toEqual(done);
          expect(await scene.store.list({ limit: 1 })).toEqual([done]);
        }
        const newcomer = await scene.request({ key: 'k' });
        expect(await scene.store.submit([newcomer])).toMatchObject([
          { outcome: 'exists', record: { retriedFrom: old.id } },
        ]);
      }),
    );

    it(
      'keeps whose child an intent is, to its end',
      play(async (scene) => {
        const { record: parent } = await scene.submit({ operation: 'other' });
        const origins = [{}, { key: 'k' }, { retriedFrom: parent.id }];
        for (const origin of origins) {
          const wish = { parentIntentId: parent.id, ...origin };
          const done = await scene.completed(wish);
          expect(done).toMatchObject({ parentIntentId: parent.id });
          expect(await scene.read(done.id)).toEqual(done);
          expect(await scene.store.list({ limit: 1 })).toEqual([done]);
        }
      }),
    );

    it(
      'returns one result per request, in order',
      play(async (scene) => {
        const [first, second, third] = [
          await scene.request(),
          await scene.request(),
          await scene.request(),
        ];
        await scene.store.submit([second]);
        const results = await scene.store.submit([first, second, third]);
        expect(results).toEqual([
          { outcome: 'created' },
          { outcome: 'exists', record: second.record },
          { outcome: 'created' },
        ]);
      }),
    );

    it(
      'accepts an empty batch',
      play(async (scene) => {
        expect(await scene.store.submit([])).toEqual([]);
      }),
    );

    it(
      'takes a batch of a thousand',
      play(async (scene) => {
        const requests = [];
        for (let i = 0; i < 1000; i += 1) requests.push(await scene.request());
        const results = await scene.store.submit(requests);
        expect(results.filter(({ outcome }) => outcome === 'created')).toHaveLength(1000);
        const found = await scene.store.get({ ids: requests.map(({ record }) => record.id) });
        expect(found.map((each) => each?.record)).toEqual(requests.map(({ record }) => record));
      }),
    );

    it(
      'lets an id that is there win over a newcomer, which leaves no trace',
      play(async (scene) => {
        const { record, events, input } = await scene.submit();
        const newcomer = await scene.request({ id: record.id, owner: 'other', input: '"other"' });
        const results = await scene.store.submit([newcomer]);
        expect(results).toEqual([{ outcome: 'exists', record }]);
        const found = await scene.store.get({ ids: [record.id], include: 'input' });
        expect(found).toEqual([{ record, input }]);
        expect(await scene.log(record.id)).toEqual(events);
      }),
    );

    it(
      'lets the earlier of one id win within one batch',
      play(async (scene) => {
        const first = await scene.request({ owner: 'first' });
        const second = await scene.request({ id: first.record.id, owner: 'second' });
        const results = await scene.store.submit([first, second]);
        expect(results).toEqual([
          { outcome: 'created' },
          { outcome: 'exists', record: first.record },
        ]);
        expect(await scene.read(first.record.id)).toEqual(first.record);
      }),
    );

    it(
      'returns the earlier intent as it is now, not as it was submitted',
      play(async (scene) => {
        const request = await scene.request();
        await scene.store.submit([request]);
        const { claimed } = await scene.claim();
        const record = await scene.apply(claimed[0]?.record ?? request.record, { type: 'start' });
        expect(await scene.store.submit([request])).toEqual([{ outcome: 'exists', record }]);
      }),
    );

    it(
      'can be repeated without effect when its outcome is unknown',
      play(async (scene) => {
        const batch = [await scene.request(), await scene.request({ key: 'k' })];
        await scene.store.submit(batch);
        const again = await scene.store.submit(batch);
        expect(again).toEqual(batch.map(({ record }) => ({ outcome: 'exists', record })));
        expect((await scene.claim()).claimed).toHaveLength(2);
        for (const { record, events } of batch) expect(await scene.log(record.id)).toEqual(events);
      }),
    );

    it(
      'stores an eager lease and the start of the attempt in the same write',
      play(async (scene) => {
        const until = (await scene.now()) + 600_000;
        const request = await scene.submit({ eager: { holder: 'holder-1', until } });
        const record = await scene.read(request.record.id);
        expect(record).toMatchObject({ lease: 1, holder: 'holder-1', dueAt: until, attempt: 1 });
        expect(await scene.log(record.id)).toHaveLength(4);
        expect(await scene.claim()).toMatchObject({ claimed: [], nextDueAt: until });
      }),
    );

    it(
      'lets the holder of an eager lease renew it and commit under it',
      play(async (scene) => {
        const now = await scene.now();
        const request = await scene.submit({ eager: { holder: 'holder-1', until: now + 600_000 } });
        const { id } = request.record;
        const renewed = await scene.store.renew({
          now,
          leaseMs: 600_000,
          leases: [{ id, lease: 1 }],
        });
        expect(renewed).toEqual([{ held: true, seq: 4, cancelRequested: false }]);
        const progress = { type: 'progress', progress: { fraction: 0.5 } } as const;
        expect(await scene.apply(request.record, progress)).toMatchObject({ seq: 5 });
      }),
    );

    it(
      'counts an eager lease as lost when it ends',
      play(async (scene) => {
        const until = (await scene.now()) + scene.shortLeaseMs;
        await scene.submit({ eager: { holder: 'holder-1', until } });
        await scene.pass(scene.shortLeaseMs);
        const { claimed } = await scene.claim({ holder: 'holder-2' });
        expect(claimed[0]?.record).toMatchObject({ lease: 2, holder: 'holder-2', lostLeases: 1 });
      }),
    );

    it(
      'answers for each place of a batch that holds one request twice',
      play(async (scene) => {
        const request = await scene.request({ key: 'k' });
        const other = await scene.request();
        const results = await scene.store.submit([request, other, request]);
        expect(results).toEqual([
          { outcome: 'created' },
          { outcome: 'created' },
          { outcome: 'exists', record: request.record },
        ]);
        expect(await scene.log(request.record.id)).toEqual(request.events);
      }),
    );
  });
}
