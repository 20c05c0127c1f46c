import { describe, expect, it } from 'vitest';
import { LONG_LEASE_MS, StoreScene } from './scene.ts';
import type { StoreSuite } from './suite.ts';

/** Cases about renewing leases and giving them back. */
export function leaseCases(suite: StoreSuite): void {
  const play = (body: (scene: StoreScene) => Promise<void>) => () => StoreScene.play(suite, body);

  describe('renew', () => {
    it(
      'gives the lease until leaseMs from now',
      play(async (scene) => {
        const { record } = await scene.claimed();
        await scene.pass(50);
        const before = await scene.now();
        const leases = [{ id: record.id, lease: 1 }];
        await scene.store.renew({ now: before, leaseMs: LONG_LEASE_MS, leases });
        const { dueAt } = await scene.read(record.id);
        expect(dueAt).toBeGreaterThanOrEqual(before + LONG_LEASE_MS);
        expect(dueAt).toBeLessThanOrEqual((await scene.now()) + LONG_LEASE_MS);
      }),
    );

    it(
      'changes nothing but dueAt',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const leases = [{ id: record.id, lease: 1 }];
        await scene.store.renew({ now: await scene.now(), leaseMs: 5_000_000, leases });
        const renewed = await scene.read(record.id);
        expect(renewed).toEqual({ ...record, dueAt: renewed.dueAt });
        expect(await scene.log(record.id)).toHaveLength(2);
      }),
    );

    it(
      'goes no further than a deadline that is ahead',
      play(async (scene) => {
        const deadlineAt = (await scene.now()) + 1_000_000;
        const { record } = await scene.claimed({ deadlineAt });
        const leases = [{ id: record.id, lease: 1 }];
        await scene.store.renew({ now: await scene.now(), leaseMs: 5_000_000, leases });
        expect((await scene.read(record.id)).dueAt).toBe(deadlineAt);
      }),
    );

    it(
      'keeps others from claiming when the lease would have ended',
      play(async (scene) => {
        const { record } = await scene.claimed({}, { leaseMs: scene.shortLeaseMs });
        const leases = [{ id: record.id, lease: 1 }];
        await scene.store.renew({ now: await scene.now(), leaseMs: LONG_LEASE_MS, leases });
        await scene.pass(2 * scene.shortLeaseMs);
        expect((await scene.claim({ holder: 'holder-2' })).claimed).toEqual([]);
      }),
    );

    it(
      'shortens a lease too',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const leases = [{ id: record.id, lease: 1 }];
        await scene.store.renew({ now: await scene.now(), leaseMs: scene.shortLeaseMs, leases });
        await scene.pass(scene.shortLeaseMs);
        expect((await scene.claim({ holder: 'holder-2' })).claimed).toHaveLength(1);
      }),
    );

    it(
      'still holds a lease that has ended but that nobody has claimed',
      play(async (scene) => {
        const { record } = await scene.claimed({}, { leaseMs: scene.shortLeaseMs });
        await scene.pass(scene.shortLeaseMs);
        const leases = [{ id: record.id, lease: 1 }];
        const renewed = await scene.store.renew({
          now: await scene.now(),
          leaseMs: LONG_LEASE_MS,
          leases,
        });
        expect(renewed).toEqual([{ held: true, seq: 2, cancelRequested: false }]);
        expect((await scene.claim({ holder: 'holder-2' })).claimed).toEqual([]);
      }),
    );

    it(
      'refuses a lease that another claim has replaced, and leaves the new one alone',
      play(async (scene) => {
        const { record } = await scene.claimed({}, { leaseMs: scene.shortLeaseMs });
        await scene.pass(scene.shortLeaseMs);
        await scene.claim({ holder: 'holder-2' });
        const replaced = await scene.read(record.id);
        const leases = [{ id: record.id, lease: 1 }];
        const now = await scene.now();
        const renewed = await scene.store.renew({ now, leaseMs: 9_000_000, leases });
        expect(renewed).toEqual([{ held: false }]);
        expect(await scene.read(record.id)).toEqual(replaced);
      }),
    );

    it(
      'refuses a lease of the future, of an ended intent, and of an intent that is not there',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const ended = await scene.completed({ operation: 'export' });
        const leases = [
          { id: record.id, lease: 2 },
          { id: record.id, lease: 0 },
          { id: ended.id, lease: 1 },
          { id: scene.nextId(), lease: 1 },
        ];
        const now = await scene.now();
        const renewed = await scene.store.renew({ now, leaseMs: LONG_LEASE_MS, leases });
        expect(renewed).toEqual(leases.map(() => ({ held: false })));
        expect(await scene.read(record.id)).toEqual(record);
      }),
    );

    it(
      'refuses an intent that was never claimed',
      play(async (scene) => {
        const { record } = await scene.submit();
        const leases = [{ id: record.id, lease: 0 }];
        const now = await scene.now();
        const renewed = await scene.store.renew({ now, leaseMs: LONG_LEASE_MS, leases });
        expect(renewed).toEqual([{ held: false }]);
        expect(await scene.read(record.id)).toEqual(record);
      }),
    );

    it(
      'answers one entry per lease, in order',
      play(async (scene) => {
        for (let i = 0; i < 3; i += 1) await scene.submit();
        const { claimed } = await scene.claim();
        const ids = claimed.map((each) => each.record.id);
        const leases = [
          { id: ids[2] ?? '', lease: 1 },
          { id: ids[0] ?? '', lease: 7 },
          { id: ids[1] ?? '', lease: 1 },
        ];
        const now = await scene.now();
        const renewed = await scene.store.renew({ now, leaseMs: LONG_LEASE_MS, leases });
        expect(renewed.map(({ held }) => held)).toEqual([true, false, true]);
      }),
    );

    it(
      'accepts no leases at all',
      play(async (scene) => {
        const now = await scene.now();
        expect(await scene.store.renew({ now, leaseMs: LONG_LEASE_MS, leases: [] })).toEqual([]);
      }),
    );

    it(
      'tells the holder the seq, and that a cancel was requested',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const started = await scene.apply(record, { type: 'start' });
        const request = await scene.change(started, { type: 'requestCancel' }, null);
        await scene.store.commit([request]);
        const leases = [{ id: record.id, lease: 1 }];
        const now = await scene.now();
        const renewed = await scene.store.renew({ now, leaseMs: LONG_LEASE_MS, leases });
        expect(renewed).toEqual([{ held: true, seq: 5, cancelRequested: true }]);
      }),
    );
  });

  describe('a released lease', () => {
    it(
      'makes the intent due at once, and nothing counts as lost',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const leases = [{ id: record.id, lease: 1, release: true }];
        const now = await scene.now();
        const released = await scene.store.renew({ now, leaseMs: LONG_LEASE_MS, leases });
        expect(released).toEqual([{ held: true, seq: 2, cancelRequested: false }]);
        expect(await scene.read(record.id)).toMatchObject({ holder: null, lease: 1 });
        const { claimed } = await scene.claim({ holder: 'holder-2' });
        expect(claimed[0]?.record).toMatchObject({
          holder: 'holder-2',
          lease: 2,
          lostLeases: 0,
        });
      }),
    );

    it(
      'is gone for its holder: no renewal, no second release, no commit',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const now = await scene.now();
        const release = [{ id: record.id, lease: 1, release: true }];
        await scene.store.renew({ now, leaseMs: LONG_LEASE_MS, leases: release });
        const after = await scene.read(record.id);
        const leases = [{ id: record.id, lease: 1 }, ...release];
        const renewed = await scene.store.renew({ now, leaseMs: LONG_LEASE_MS, leases });
        expect(renewed).toEqual([{ held: false }, { held: false }]);
        const commit = await scene.change(record, { type: 'start' });
        expect(await scene.store.commit([commit])).toEqual([{ outcome: 'stale' }]);
        expect(await scene.read(record.id)).toEqual(after);
      }),
    );

    it(
      'can be given back beside others that are renewed',
      play(async (scene) => {
        await scene.submit();
        await scene.submit();
        const { claimed } = await scene.claim();
        const [kept, given] = claimed.map((each) => each.record.id);
        const leases = [
          { id: kept ?? '', lease: 1 },
          { id: given ?? '', lease: 1, release: true },
        ];
        const now = await scene.now();
        await scene.store.renew({ now, leaseMs: LONG_LEASE_MS, leases });
        const next = await scene.claim({ holder: 'holder-2' });
        expect(next.claimed.map((each) => each.record.id)).toEqual([given]);
      }),
    );

    it(
      'can be renewed and then given back in one call, and not the other way round',
      play(async (scene) => {
        const { id, lease } = (await scene.claimed()).record;
        const keep = { id, lease };
        const leases = [keep, { ...keep, release: true }, keep];
        const results = await scene.store.renew({
          now: await scene.now(),
          leaseMs: LONG_LEASE_MS,
          leases,
        });
        const held = { held: true, seq: 2, cancelRequested: false };
        expect(results).toEqual([held, held, { held: false }]);
        const { claimed } = await scene.claim({ holder: 'holder-2' });
        expect(claimed[0]?.record).toMatchObject({ id, lease: 2, lostLeases: 0 });
      }),
    );
  });
}
