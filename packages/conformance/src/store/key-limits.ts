import type { ClaimResult, KeyedOperation } from '@durable-api/core';
import { describe, expect, it } from 'vitest';
import { claimKeyed, firstOf, keysOf, submitAll, times } from './keyed-scene.ts';
import { LONG_LEASE_MS, response, StoreScene } from './scene.ts';
import { allowsSeveralStores, isDurable, type StoreSuite } from './suite.ts';

type Lease = ClaimResult['claimed'][number];

const SLEEP = { type: 'suspend', reason: 'WAITING_FOR_TIME', seq: null, notes: [] } as const;

/** Cases about the limits of keys: how many run at once, and how often, across processes. */
export function keyLimitCases(suite: StoreSuite): void {
  const play = (body: (scene: StoreScene) => Promise<void>) => () => StoreScene.play(suite, body);

  describe('intents of one key', () => {
    it(
      'run as many at once for each key as the limit says',
      play(async (scene) => {
        const ids = await submitAll(scene, [
          { keyed: 'a' },
          { keyed: 'a' },
          { keyed: 'a' },
          { keyed: 'b' },
        ]);
        const first = await claimKeyed(scene, { perKey: 2 });
        expect(keysOf(first).toSorted()).toEqual(['a', 'a', 'b']);
        expect(first.claimed.map(({ record }) => record.id)).not.toContain(ids[2]);
        expect(first.isHeldBack).toBe(true);
        const second = await claimKeyed(scene, { perKey: 2 });
        // No earlier than a lease ends by itself: what is held back is not asked for again and again.
        const ends = first.claimed.map(({ record }) => record.dueAt ?? 0);
        expect(second).toMatchObject({ claimed: [], isHeldBack: true });
        expect(second.nextDueAt).toBe(Math.min(...ends));
      }),
    );

    it(
      'count one key of two operations as two',
      play(async (scene) => {
        await submitAll(scene, [{ keyed: 'a' }, { keyed: 'a', operation: 'export' }]);
        expect((await claimKeyed(scene, { perKey: 1 })).claimed).toHaveLength(1);
        const other = await claimKeyed(scene, { perKey: 1, operation: 'export' });
        expect(other.claimed).toHaveLength(1);
      }),
    );

    const freeing: [string, (scene: StoreScene, first: Lease) => Promise<void>][] = [
      [
        'an end',
        async (scene, { record }) => {
          const started = await scene.apply(record, { type: 'start' });
          await scene.apply(started, { type: 'complete', result: response('done') });
        },
      ],
      [
        'a sleep',
        async (scene, { record }) => {
          const started = await scene.apply(record, { type: 'start' });
          const resumeAt = (await scene.now()) + LONG_LEASE_MS;
          await scene.apply(started, { ...SLEEP, resumeAt, details: {} });
        },
      ],
      [
        'a failure, for the time of its backoff',
        async (scene, { record }) => {
          const started = await scene.apply(record, { type: 'start' });
          const failure = { code: 'boom', message: 'Boom.', retryable: true };
          await scene.apply(started, { type: 'fail', failure, retryAfterMs: LONG_LEASE_MS });
        },
      ],
    ];
    for (const [what, free] of freeing) {
      it(
        `make room for the next of their key by ${what}`,
        play(async (scene) => {
          const [, next] = await submitAll(scene, [{ keyed: 'a' }, { keyed: 'a' }]);
          const first = firstOf(await claimKeyed(scene, { perKey: 1 }));
          expect(await claimKeyed(scene, { perKey: 1 })).toMatchObject({ claimed: [] });
          await free(scene, first);
          const after = await claimKeyed(scene, { perKey: 1 });
          expect(after.claimed.map(({ record }) => record.id)).toEqual([next]);
          expect(after.isHeldBack).toBe(false);
        }),
      );
    }

    it(
      'make room for the next of their key, of another priority too, when the lease is given back',
      play(async (scene) => {
        const [low] = await submitAll(scene, [{ keyed: 'a', priority: -1 }]);
        const { claimed } = await claimKeyed(scene, { perKey: 1 });
        await submitAll(scene, [{ keyed: 'a', priority: 1 }]);
        expect(await claimKeyed(scene, { perKey: 1 })).toMatchObject({ claimed: [] });
        const request = { now: await scene.now(), leaseMs: LONG_LEASE_MS };
        await scene.store.renew({
          ...request,
          leases: claimed.map(({ record: { id, lease } }) => ({ id, lease, release: true })),
        });
        const next = await claimKeyed(scene, { perKey: 1 });
        expect(next.claimed.map(({ record }) => record.priority)).toEqual([1]);
        const started = await scene.apply(firstOf(next).record, { type: 'start' });
        await scene.apply(started, { type: 'complete', result: response('done') });
        const last = await claimKeyed(scene, { perKey: 1 });
        expect(last.claimed.map(({ record }) => record.id)).toEqual([low]);
        expect(last.claimed[0]?.record.lostLeases).toBe(0);
      }),
    );

    it(
      'make no room when somebody without a lease changes one that runs',
      play(async (scene) => {
        await submitAll(scene, [{ keyed: 'a' }, { keyed: 'a' }]);
        const first = firstOf(await claimKeyed(scene, { perKey: 1 }));
        const request = await scene.change(first.record, { type: 'requestCancel' }, null);
        await scene.store.commit([request]);
        expect(await claimKeyed(scene, { perKey: 1 })).toMatchObject({
          claimed: [],
          isHeldBack: true,
        });
      }),
    );

    it(
      'make room by the end of a lease, and its holder is out for good',
      play(async (scene) => {
        const [first, second] = await submitAll(scene, [{ keyed: 'a' }, { keyed: 'a' }]);
        const lease = { leaseMs: scene.shortLeaseMs };
        const { claimed, now } = await claimKeyed(scene, { perKey: 1 }, lease);
        const lost = firstOf({ claimed, now, nextDueAt: null });
        expect(lost.record.id).toBe(first);
        const early = await claimKeyed(scene, { perKey: 1 });
        await scene.mustBeBefore(now + scene.shortLeaseMs);
        expect(early).toMatchObject({ claimed: [], nextDueAt: lost.record.dueAt });
        await scene.pass(scene.shortLeaseMs);
        const next = await claimKeyed(scene, { perKey: 1 }, { holder: 'holder-2' });
        expect(next.claimed.map(({ record }) => record.id)).toEqual([second]);
        expect(await scene.read(lost.record.id)).toMatchObject({ holder: null, lostLeases: 1 });
        const renewal = { now: await scene.now(), leaseMs: LONG_LEASE_MS, leases: [lost.record] };
        expect(await scene.store.renew(renewal)).toEqual([{ held: false }]);
        const change = await scene.change(lost.record, { type: 'start' });
        expect(await scene.store.commit([change])).toEqual([{ outcome: 'stale' }]);
        expect(await claimKeyed(scene, { perKey: 1 })).toMatchObject({ claimed: [] });
      }),
    );

    it(
      'without a limit are taken over when their lease has ended, which counts as lost',
      play(async (scene) => {
        const [id] = await submitAll(scene, [{ keyed: 'a' }]);
        await claimKeyed(scene, {}, { leaseMs: scene.shortLeaseMs });
        await scene.pass(scene.shortLeaseMs);
        const { claimed } = await claimKeyed(scene, {}, { holder: 'holder-2' });
        expect(claimed[0]?.record).toMatchObject({ id, lease: 2, lostLeases: 1 });
      }),
    );

    it(
      'are taken past their deadline though their key is full',
      play(async (scene) => {
        const deadlineAt = (await scene.now()) + scene.shortLeaseMs;
        await submitAll(scene, [{ keyed: 'a' }, { keyed: 'a' }]);
        const [late] = await submitAll(scene, [{ keyed: 'a', deadlineAt }]);
        await claimKeyed(scene, { perKey: 1 });
        const early = await claimKeyed(scene, { perKey: 1 });
        await scene.mustBeBefore(deadlineAt);
        expect(early).toMatchObject({ claimed: [], nextDueAt: deadlineAt });
        await scene.pass(scene.shortLeaseMs);
        const { claimed } = await claimKeyed(scene, { perKey: 1 });
        expect(claimed.map(({ record }) => record.id)).toEqual([late]);
      }),
    );

    it(
      'are taken as often in a period as the rate limit says, and not asked for before',
      play(async (scene) => {
        const periodMs = scene.shortLeaseMs;
        const rateLimit = { limit: 2, periodMs };
        await submitAll(scene, [{ keyed: 'a' }, { keyed: 'a' }, { keyed: 'a' }, { keyed: 'b' }]);
        const first = await claimKeyed(scene, { rateLimit });
        expect(keysOf(first).toSorted()).toEqual(['a', 'a', 'b']);
        const second = await claimKeyed(scene, { rateLimit });
        const ofA = first.claimed.filter(({ record }) => record.key === 'a');
        const takenAt = Math.min(...ofA.map(({ record }) => (record.dueAt ?? 0) - LONG_LEASE_MS));
        await scene.mustBeBefore(takenAt + periodMs);
        expect(second).toMatchObject({ claimed: [], isHeldBack: false });
        expect(second.nextDueAt).toBe(takenAt + periodMs);
        await scene.pass(periodMs);
        expect(keysOf(await claimKeyed(scene, { rateLimit }))).toEqual(['a']);
      }),
    );

    it(
      'are never taken more often in any period than the rate limit says',
      play(async (scene) => {
        const periodMs = scene.shortLeaseMs;
        const rateLimit = { limit: 2, periodMs };
        await submitAll(scene, times(9, { keyed: 'a' }));
        const starts: number[] = [];
        while (starts.length < 6) {
          const { claimed, now, nextDueAt } = await claimKeyed(scene, { rateLimit }, { limit: 1 });
          for (const _ of claimed) starts.push(now);
          if (claimed.length === 0) await scene.pass(Math.max(1, (nextDueAt ?? now) - now));
        }
        for (const [i, start] of starts.entries()) {
          expect(start - (starts[i - 2] ?? -Infinity)).toBeGreaterThanOrEqual(periodMs);
        }
      }),
    );

    it(
      'are due when a signal comes, and hold no place until they are taken',
      play(async (scene) => {
        await submitAll(scene, [{ keyed: 'a' }]);
        const first = firstOf(await claimKeyed(scene, { perKey: 1 }));
        const started = await scene.apply(first.record, { type: 'start' });
        const resumeAt = (await scene.now()) + LONG_LEASE_MS;
        const waiting = await scene.apply(started, { ...SLEEP, resumeAt, details: {} });
        expect(await claimKeyed(scene, { perKey: 1 })).toMatchObject({ nextDueAt: resumeAt });
        await scene.apply(waiting, { type: 'signal', wakes: true, details: {} });
        const again = await claimKeyed(scene, { perKey: 1 });
        expect(again.claimed.map(({ record }) => record.id)).toEqual([first.record.id]);
      }),
    );

    if (allowsSeveralStores(suite))
      it(
        'are within their limits though several processes claim at once',
        play(async (scene) => {
          const stores = [scene.store, await scene.open(), await scene.open()];
          const wishes = Array.from({ length: 24 }, (_, i) => ({ keyed: `tenant-${i % 2}` }));
          await submitAll(scene, wishes);
          const limits: Partial<KeyedOperation> = {
            perKey: 3,
            rateLimit: { limit: 5, periodMs: LONG_LEASE_MS },
          };
          const claims = await Promise.all(
            stores.flatMap((store) => [
              claimKeyed(scene, limits, {}, store),
              claimKeyed(scene, limits, { limit: 1 }, store),
            ]),
          );
          const taken = claims.flatMap(({ claimed }) => claimed);
          expect(new Set(taken.map(({ record }) => record.id)).size).toBe(taken.length);
          const counts = (keys: typeof taken, key: string): number =>
            keys.filter(({ record }) => record.key === key).length;
          expect([counts(taken, 'tenant-0'), counts(taken, 'tenant-1')]).toEqual([3, 3]);
          for (const { record } of taken) {
            const started = await scene.apply(record, { type: 'start' });
            await scene.apply(started, { type: 'complete', result: response('done') });
          }
          const more = await Promise.all(stores.map((on) => claimKeyed(scene, limits, {}, on)));
          const rest = more.flatMap(({ claimed }) => claimed);
          expect([counts(rest, 'tenant-0'), counts(rest, 'tenant-1')]).toEqual([2, 2]);
        }),
      );

    if (isDurable(suite))
      it(
        'are within their limits after a restart',
        play(async (scene) => {
          await submitAll(scene, [{ keyed: 'a' }, { keyed: 'a' }, { keyed: 'b' }]);
          const limits = { perKey: 1, rateLimit: { limit: 1, periodMs: LONG_LEASE_MS } };
          const { claimed } = await claimKeyed(scene, limits);
          for (const { record } of claimed) {
            const started = await scene.apply(record, { type: 'start' });
            await scene.apply(started, { type: 'complete', result: response('done') });
          }
          await scene.store.close();
          const reopened = await scene.open();
          const after = await claimKeyed(scene, limits, {}, reopened);
          expect(after.claimed).toEqual([]);
          await reopened.close();
          // Another version of the app may have other limits, and they hold from its start on.
          const other = await scene.open();
          expect(keysOf(await claimKeyed(scene, { perKey: 1 }, {}, other))).toEqual(['a']);
        }),
      );
  });
}
