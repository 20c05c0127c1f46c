import { describe, expect, it } from 'vitest';
import { response, StoreScene } from './scene.ts';
import { allowsSeveralStores, isDurable, type StoreSuite } from './suite.ts';

/** Cases about opening, closing and opening again. */
export function lifetimeCases(suite: StoreSuite): void {
  const play = (body: (scene: StoreScene) => Promise<void>) => () => StoreScene.play(suite, body);
  const several = allowsSeveralStores(suite);

  describe('a store', () => {
    it(
      'has the capabilities that were declared for it',
      play(async (scene) => {
        expect(scene.store.capabilities).toEqual(suite.capabilities);
      }),
    );

    it(
      'may be closed twice',
      play(async (scene) => {
        await scene.submit();
        await scene.store.close();
        await scene.store.close();
      }),
    );

    it(
      'may be closed though it was never migrated',
      play(async (scene) => {
        await scene.store.close();
        const other = await scene.openUnmigrated();
        await other.close();
      }),
    );

    it(
      'waits on close for what is under way',
      play(async (scene) => {
        const requests = [];
        for (let i = 0; i < 50; i += 1) requests.push(await scene.request());
        const pending = requests.map((request) => scene.store.submit([request]));
        await scene.store.close();
        const results = await Promise.all(pending);
        expect(results.flat()).toEqual(requests.map(() => ({ outcome: 'created' })));
      }),
    );

    if (several)
      it(
        'can be opened by several at the same moment',
        play(async (scene) => {
          const request = await scene.request();
          await scene.store.close();
          const stores = [];
          for (let i = 0; i < 4; i += 1) stores.push(await scene.openUnmigrated());
          await Promise.all(stores.map((store) => store.migrate()));
          const [first, ...rest] = stores;
          await first?.submit([request]);
          for (const store of rest) {
            expect(await scene.read(request.record.id, store)).toEqual(request.record);
          }
        }),
      );

    if (several)
      it(
        'is read by others as soon as it has acknowledged a write',
        play(async (scene) => {
          const other = await scene.open();
          for (let i = 0; i < 20; i += 1) {
            const { record, events } = await scene.submit();
            expect(await scene.read(record.id, other)).toEqual(record);
            expect(await scene.log(record.id, other)).toEqual(events);
          }
        }),
      );

    if (several)
      it(
        'goes on when another one on the same data closes',
        play(async (scene) => {
          const other = await scene.open();
          await other.submit([await scene.request()]);
          await other.close();
          const { record } = await scene.submit();
          expect(await scene.read(record.id)).toEqual(record);
          expect((await scene.claim()).claimed).toHaveLength(2);
        }),
      );
  });

  if (!isDurable(suite)) return;

  describe('a store that is opened again', () => {
    it(
      'has every intent, its events, input and result',
      play(async (scene) => {
        const done = await scene.completed({ input: '"given"' });
        const { record: open } = await scene.submit({ owner: 'me', deadlineAt: 4e12 });
        const log = await scene.log(done.id);
        await scene.store.close();
        const store = await scene.open();
        const results = await store.get({ ids: [done.id, open.id], include: 'result' });
        expect(results).toEqual([{ record: done, result: response('done') }, { record: open }]);
        const inputs = await store.get({ ids: [done.id], include: 'input' });
        expect(inputs).toEqual([{ record: done, input: '"given"' }]);
        expect(await scene.log(done.id, store)).toEqual(log);
        expect(await store.list({ limit: 10 })).toEqual([open, done]);
      }),
    );

    it(
      'has every idempotency key',
      play(async (scene) => {
        const { record } = await scene.submit({ key: 'k' });
        await scene.store.close();
        const store = await scene.open();
        const newcomer = await scene.request({ key: 'k', createdAt: record.createdAt });
        expect(await store.submit([newcomer])).toEqual([{ outcome: 'exists', record }]);
      }),
    );

    it(
      'keeps the fence: the lease numbers go on',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const now = await scene.now();
        const leases = [{ id: record.id, lease: 1, release: true }];
        await scene.store.renew({ now, leaseMs: 1000, leases });
        const stale = await scene.change(record, { type: 'start' });
        await scene.store.close();
        const store = await scene.open();
        const { claimed } = await store.claim({
          now,
          holder: 'holder-2',
          leaseMs: 600_000,
          operations: ['report'],
          limit: 1,
        });
        expect(claimed[0]?.record).toMatchObject({ lease: 2, holder: 'holder-2', lostLeases: 0 });
        expect(await store.commit([stale])).toEqual([{ outcome: 'stale' }]);
      }),
    );

    it(
      'has what was acknowledged while it was being closed',
      play(async (scene) => {
        const requests = [];
        for (let i = 0; i < 50; i += 1) requests.push(await scene.request());
        const pending = requests.map((request) => scene.store.submit([request]));
        await scene.store.close();
        await Promise.all(pending);
        const store = await scene.open();
        const found = await store.get({ ids: requests.map(({ record }) => record.id) });
        expect(found.map((each) => each?.record)).toEqual(requests.map(({ record }) => record));
      }),
    );
  });
}
