import { describe, expect, it } from 'vitest';
import { LONG_LEASE_MS, StoreScene } from './scene.ts';
import type { StoreSuite } from './suite.ts';

/** Cases about taking the lease of what is due. */
export function claimCases(suite: StoreSuite): void {
  const play = (body: (scene: StoreScene) => Promise<void>) => () => StoreScene.play(suite, body);
  const { clock } = suite.capabilities;

  describe('claim', () => {
    it(
      'takes what is due and returns its record and input',
      play(async (scene) => {
        const { record, input } = await scene.submit();
        const { claimed, now } = await scene.claim();
        const leased = { lease: 1, holder: 'holder-1', dueAt: now + LONG_LEASE_MS };
        expect(claimed).toEqual([{ record: { ...record, ...leased }, input }]);
        expect(await scene.read(record.id)).toEqual({ ...record, ...leased });
      }),
    );

    it(
      'changes neither seq nor events',
      play(async (scene) => {
        const { record, events } = await scene.claimed().then(async ({ record }) => ({
          record,
          events: await scene.log(record.id),
        }));
        expect(record).toMatchObject({ seq: 2, status: 'SUBMITTED', attempt: 0 });
        expect(events.map(({ seq }) => seq)).toEqual([1, 2]);
      }),
    );

    it(
      'sets dueAt to a deadline that comes before the end of the lease',
      play(async (scene) => {
        const deadlineAt = (await scene.now()) + 60_000;
        const { record } = await scene.claimed({ deadlineAt });
        expect(record.dueAt).toBe(deadlineAt);
      }),
    );

    it(
      'ignores a deadline in the past, which is for the holder to deal with',
      play(async (scene) => {
        const now = await scene.now();
        await scene.submit({ createdAt: now - 2000, deadlineAt: now - 1000 });
        const result = await scene.claim();
        expect(result.claimed[0]?.record.dueAt).toBe(result.now + LONG_LEASE_MS);
      }),
    );

    it(
      'leaves what is not due yet, and says when it will be',
      play(async (scene) => {
        const startAt = (await scene.now()) + 3_600_000;
        await scene.submit({ startAt });
        await scene.submit({ startAt: startAt + 1 });
        expect(await scene.claim()).toMatchObject({ claimed: [], nextDueAt: startAt });
      }),
    );

    it(
      'takes a deferred intent when its time has come',
      play(async (scene) => {
        const startAt = (await scene.now()) + scene.shortLeaseMs;
        const { record } = await scene.submit({ startAt });
        const early = await scene.claim();
        const waiting = await scene.read(record.id);
        await scene.mustBeBefore(startAt);
        expect(early.claimed).toEqual([]);
        expect(waiting).toEqual(record);
        expect(waiting).toMatchObject({ status: 'WAITING', waitingReason: 'WAITING_FOR_TIME' });
        await scene.pass(scene.shortLeaseMs);
        const { claimed } = await scene.claim();
        expect(claimed.map((each) => each.record.id)).toEqual([record.id]);
      }),
    );

    if (clock === 'caller')
      it(
        'takes what is due at exactly this instant, and nothing one millisecond early',
        play(async (scene) => {
          const now = await scene.now();
          const { record } = await scene.submit({ startAt: now + 10 });
          expect((await scene.claim({ now: now + 9 })).claimed).toEqual([]);
          const { claimed } = await scene.claim({ now: now + 10 });
          expect(claimed.map((each) => each.record.id)).toEqual([record.id]);
        }),
      );

    it(
      'takes a deferred intent no later than its deadline',
      play(async (scene) => {
        const now = await scene.now();
        const deadlineAt = now + 60_000;
        await scene.submit({ startAt: now + 3_600_000, deadlineAt });
        expect(await scene.claim()).toMatchObject({ claimed: [], nextDueAt: deadlineAt });
      }),
    );

    it(
      'takes only intents of the given operations, and looks ahead only at these',
      play(async (scene) => {
        const now = await scene.now();
        await scene.submit({ operation: 'export' });
        const { record } = await scene.submit({ operation: 'report' });
        await scene.submit({ operation: 'report', startAt: now + 5_000_000 });
        await scene.submit({ operation: 'export', startAt: now + 4_000_000 });
        const { claimed, nextDueAt } = await scene.claim({ leaseMs: 6_000_000 });
        expect(claimed.map((each) => each.record.id)).toEqual([record.id]);
        expect(nextDueAt).toBe(now + 5_000_000);
      }),
    );

    it(
      'takes of several operations at once',
      play(async (scene) => {
        const ids = [];
        for (const operation of ['report', 'export', 'import']) {
          ids.push((await scene.submit({ operation })).record.id);
        }
        const { claimed } = await scene.claim({ operations: ['import', 'report'] });
        expect(claimed.map((each) => each.record.id).sort()).toEqual([ids[0], ids[2]]);
      }),
    );

    it(
      'takes nothing when no operation is given',
      play(async (scene) => {
        await scene.submit();
        const result = await scene.claim({ operations: [] });
        expect(result).toMatchObject({ claimed: [], nextDueAt: null });
      }),
    );

    it(
      'prefers the longest due, of all operations together',
      play(async (scene) => {
        const now = await scene.now();
        const ages = [3000, 9000, 1000, 7000, 5000];
        const ids = new Map<number, string>();
        for (const [i, age] of ages.entries()) {
          const operation = i % 2 === 0 ? 'report' : 'export';
          ids.set(age, (await scene.submit({ operation, createdAt: now - age })).record.id);
        }
        const { claimed } = await scene.claim({ operations: ['report', 'export'], limit: 3 });
        expect(claimed.map((each) => each.record.id)).toEqual([
          ids.get(9000),
          ids.get(7000),
          ids.get(5000),
        ]);
      }),
    );

    it(
      'takes no more than the limit, and says that more is due',
      play(async (scene) => {
        const now = await scene.now();
        for (let i = 0; i < 5; i += 1) await scene.submit({ createdAt: now - 10 + i });
        const first = await scene.claim({ limit: 2 });
        expect(first.claimed).toHaveLength(2);
        expect(first.nextDueAt).toBe(now - 8);
        const second = await scene.claim({ limit: 10 });
        expect(second.claimed).toHaveLength(3);
      }),
    );

    it(
      'says when the first of the held leases ends, since that is due then',
      play(async (scene) => {
        await scene.submit();
        await scene.submit();
        const first = await scene.claim({ limit: 1, leaseMs: LONG_LEASE_MS });
        const second = await scene.claim({ limit: 1, leaseMs: 2 * LONG_LEASE_MS });
        expect(second.claimed).toHaveLength(1);
        expect(second.nextDueAt).toBe(first.now + LONG_LEASE_MS);
      }),
    );

    it(
      'says that nothing is left when all intents have ended',
      play(async (scene) => {
        await scene.completed();
        expect(await scene.claim()).toMatchObject({ claimed: [], nextDueAt: null });
      }),
    );

    it(
      'does not take a lease that is held',
      play(async (scene) => {
        await scene.claimed();
        expect((await scene.claim({ holder: 'holder-2' })).claimed).toEqual([]);
        expect((await scene.claim({ holder: 'holder-1' })).claimed).toEqual([]);
      }),
    );

    it(
      'takes over a lease that has ended, and counts it as lost',
      play(async (scene) => {
        const { record } = await scene.claimed({}, { leaseMs: scene.shortLeaseMs });
        await scene.pass(scene.shortLeaseMs);
        const { claimed } = await scene.claim({ holder: 'holder-2' });
        expect(claimed[0]?.record).toMatchObject({
          id: record.id,
          lease: 2,
          holder: 'holder-2',
          lostLeases: 1,
        });
        expect(await scene.read(record.id)).toEqual(claimed[0]?.record);
      }),
    );

    it(
      'counts each lost lease',
      play(async (scene) => {
        await scene.submit();
        for (let lost = 0; lost < 4; lost += 1) {
          const { claimed } = await scene.claim({ leaseMs: scene.shortLeaseMs });
          expect(claimed[0]?.record).toMatchObject({ lostLeases: lost, lease: lost + 1 });
          await scene.pass(scene.shortLeaseMs);
        }
      }),
    );

    it(
      'takes an intent again after its backoff, and counts no lost lease',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const started = await scene.apply(record, { type: 'start' });
        const retryAfterMs = scene.shortLeaseMs;
        const failure = { code: 'boom', message: 'Boom.', retryable: true };
        const failed = await scene.apply(started, { type: 'fail', failure, retryAfterMs });
        const early = await scene.claim();
        await scene.mustBeBefore(failed.updatedAt + retryAfterMs);
        expect(early).toMatchObject({ claimed: [], nextDueAt: failed.dueAt });
        await scene.pass(scene.shortLeaseMs);
        const { claimed } = await scene.claim();
        expect(claimed[0]?.record).toMatchObject({
          status: 'WAITING',
          waitingReason: 'WAITING_FOR_TIME',
          failures: 1,
          error: failure,
          lease: 2,
          lostLeases: 0,
        });
      }),
    );

    if (clock === 'caller')
      it(
        "decides by the caller's clock and returns its instant",
        play(async (scene) => {
          const now = await scene.now();
          await scene.submit({ startAt: now + 1_000_000 });
          expect((await scene.claim({ now: now + 999_999 })).claimed).toEqual([]);
          const result = await scene.claim({ now: now + 1_000_000 });
          expect(result.claimed).toHaveLength(1);
          expect(result.now).toBe(now + 1_000_000);
        }),
      );

    if (clock === 'store')
      it(
        "decides by its own clock, whatever the caller's says",
        play(async (scene) => {
          const now = await scene.now();
          await scene.submit({ startAt: now + 1_000_000 });
          const fast = await scene.claim({ now: now + 300_000_000 });
          expect(fast.claimed).toEqual([]);
          expect(Math.abs(fast.now - now)).toBeLessThan(60_000);
          await scene.submit();
          const slow = await scene.claim({ now: now - 300_000_000 });
          expect(slow.claimed).toHaveLength(1);
          expect(slow.claimed[0]?.record.dueAt).toBe(slow.now + LONG_LEASE_MS);
        }),
      );

    it(
      'takes the longest due of one operation though another has many that are younger',
      play(async (scene) => {
        const now = await scene.now();
        const young = [];
        for (let i = 0; i < 6; i += 1) {
          young.push(await scene.request({ operation: 'export', createdAt: now - 10 + i }));
        }
        await scene.store.submit(young);
        const old = [];
        for (const age of [2000, 1000]) {
          old.push((await scene.submit({ createdAt: now - age })).record.id);
        }
        const { claimed } = await scene.claim({ operations: ['export', 'report'], limit: 3 });
        const ids = claimed.map((each) => each.record.id);
        expect(ids).toEqual([...old, young[0]?.record.id]);
      }),
    );

    it(
      'takes each intent once though its operation is named twice',
      play(async (scene) => {
        const { record } = await scene.submit();
        const { claimed } = await scene.claim({ operations: ['report', 'report'] });
        expect(claimed.map((each) => each.record.id)).toEqual([record.id]);
      }),
    );
  });
}
