import { describe, expect, it } from 'vitest';
import { claimKeyed, keysOf, submitAll, times } from './keyed-scene.ts';
import { LONG_LEASE_MS, StoreScene } from './scene.ts';
import type { StoreSuite } from './suite.ts';

/** Cases about intents with keys: their turns, their priorities and what claims see of them. */
export function keyedCases(suite: StoreSuite): void {
  const play = (body: (scene: StoreScene) => Promise<void>) => () => StoreScene.play(suite, body);

  describe('intents with keys', () => {
    it(
      'come back as they were submitted',
      play(async (scene) => {
        const { record, input } = await scene.submit({
          keyed: 'tenant-a',
          priority: 7,
          key: 'once',
        });
        expect(record).toMatchObject({ key: 'tenant-a', priority: 7 });
        expect(await scene.read(record.id)).toEqual(record);
        expect(await scene.store.list({ limit: 10 })).toEqual([record]);
        const again = await scene.request({ keyed: 'tenant-b', key: 'once' });
        expect(await scene.store.submit([again])).toEqual([{ outcome: 'exists', record }]);
        const { claimed, now } = await claimKeyed(scene);
        const leased = { lease: 1, holder: 'holder-1', dueAt: now + LONG_LEASE_MS };
        expect(claimed).toEqual([{ record: { ...record, ...leased }, input }]);
        expect(await scene.read(record.id)).toEqual({ ...record, ...leased });
      }),
    );

    it(
      'are not taken by a claim of those without, and the other way around',
      play(async (scene) => {
        const plain = await scene.submit();
        const keyed = await scene.submit({ keyed: '' });
        const first = await claimKeyed(scene);
        expect(first.claimed.map(({ record }) => record.id)).toEqual([keyed.record.id]);
        const second = await scene.claim();
        expect(second.claimed.map(({ record }) => record.id)).toEqual([plain.record.id]);
        const [again] = await submitAll(scene, [{ keyed: 'a' }]);
        expect(await scene.claim()).toMatchObject({ claimed: [] });
        const third = await claimKeyed(scene, {}, { operations: ['report'] });
        expect(third.claimed.map(({ record }) => record.id)).toEqual([again]);
      }),
    );

    it(
      'are taken of the named operations only',
      play(async (scene) => {
        await submitAll(scene, [{ keyed: 'a', operation: 'export' }, { keyed: 'a' }]);
        const { claimed } = await claimKeyed(scene, { operation: 'export' });
        expect(claimed.map(({ record }) => record.operation)).toEqual(['export']);
        expect(await claimKeyed(scene, { operation: 'export' })).toMatchObject({ claimed: [] });
      }),
    );

    it(
      'are not more than there is room for, of each operation',
      play(async (scene) => {
        const other = { keyed: 'a', operation: 'export' };
        await submitAll(scene, [...times(4, { keyed: 'a' }), ...times(4, other)]);
        const limits = { perKey: null, rateLimit: null };
        const keyed = [
          { operation: 'report', room: 1, ...limits },
          { operation: 'export', room: null, ...limits },
        ];
        const { claimed, nextDueAt, now } = await scene.claim({ operations: [], keyed });
        const operations = claimed.map(({ record }) => record.operation).toSorted();
        expect(operations).toEqual(['export', 'export', 'export', 'export', 'report']);
        // Nobody is to ask again at once for what there is no room for.
        expect(nextDueAt).toBeGreaterThan(now);
      }),
    );

    it(
      'say when the next one is due, and that there is more',
      play(async (scene) => {
        expect(await claimKeyed(scene)).toMatchObject({ claimed: [], nextDueAt: null });
        const startAt = (await scene.now()) + LONG_LEASE_MS;
        await submitAll(scene, [{ keyed: 'a', startAt }]);
        expect(await claimKeyed(scene)).toMatchObject({ claimed: [], nextDueAt: startAt });
        await submitAll(scene, [{ keyed: 'b' }, { keyed: 'b' }]);
        const { claimed, nextDueAt, now } = await claimKeyed(scene, {}, { limit: 1 });
        expect(claimed).toHaveLength(1);
        expect(nextDueAt).toBeLessThanOrEqual(now);
      }),
    );

    it(
      'leave nothing to look at when all have ended',
      play(async (scene) => {
        const [id = ''] = await submitAll(scene, [{ keyed: 'a' }]);
        const cancel = await scene.change(await scene.read(id), { type: 'requestCancel' });
        await scene.store.commit([cancel]);
        expect(await claimKeyed(scene, { perKey: 1 })).toMatchObject({
          claimed: [],
          nextDueAt: null,
          isHeldBack: false,
        });
      }),
    );

    it(
      'may have keys of any letters, up to 200, which are told apart',
      play(async (scene) => {
        const keys = [
          '',
          'a',
          'A',
          'a ',
          'ä',
          '雪',
          "'; DROP",
          '%',
          '{a}',
          'x'.repeat(200),
          '😀'.repeat(100),
        ];
        await submitAll(
          scene,
          keys.flatMap((keyed) => [{ keyed }, { keyed }]),
        );
        const { claimed } = await claimKeyed(scene, { perKey: 1 });
        expect(claimed.map(({ record }) => record.key ?? 'none').toSorted()).toEqual(
          keys.toSorted(),
        );
      }),
    );

    it(
      'take turns, so that a key with many does not hold up one with few',
      play(async (scene) => {
        const many = times(20, { keyed: 'a' });
        await submitAll(scene, [...many, { keyed: 'b' }, { keyed: 'c' }]);
        expect(keysOf(await claimKeyed(scene, {}, { limit: 4 })).toSorted()).toEqual([
          'a',
          'a',
          'b',
          'c',
        ]);
      }),
    );

    it(
      'take turns from claim to claim',
      play(async (scene) => {
        await submitAll(scene, [...times(6, { keyed: 'a' }), ...times(3, { keyed: 'b' })]);
        const order: string[] = [];
        for (let i = 0; i < 6; i += 1) {
          order.push(...keysOf(await claimKeyed(scene, {}, { limit: 1 })));
        }
        expect(order.toSorted()).toEqual(['a', 'a', 'a', 'b', 'b', 'b']);
        for (let i = 0; i < 6; i += 2) expect(order[i]).not.toBe(order[i + 1]);
        expect(keysOf(await claimKeyed(scene))).toEqual(['a', 'a', 'a']);
      }),
    );

    it(
      'of one key are taken in the order in which they were due',
      play(async (scene) => {
        const ids = await submitAll(scene, times(5, { keyed: 'a' }));
        const first = await claimKeyed(scene, {}, { limit: 2 });
        const second = await claimKeyed(scene);
        const all = [...first.claimed, ...second.claimed];
        expect(all.map(({ record }) => record.id)).toEqual(ids);
      }),
    );

    it(
      'of a higher priority go first, whatever their key',
      play(async (scene) => {
        const [low, , , top] = await submitAll(scene, [
          { keyed: 'a', priority: -5 },
          { keyed: 'a' },
          { keyed: 'b', priority: 5 },
          { keyed: 'a', priority: 100 },
          { keyed: 'c', priority: -100 },
        ]);
        const order = [];
        for (let i = 0; i < 5; i += 1) {
          const { claimed } = await claimKeyed(scene, {}, { limit: 1 });
          order.push(claimed[0]?.record.priority ?? 0);
          if (i === 0) expect(claimed[0]?.record.id).toBe(top);
          if (i === 3) expect(claimed[0]?.record.id).toBe(low);
        }
        expect(order).toEqual([100, 5, 0, -5, -100]);
      }),
    );
  });
}
