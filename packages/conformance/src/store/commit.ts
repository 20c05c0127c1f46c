import { describe, expect, it } from 'vitest';
import { LONG_LEASE_MS, response, StoreScene } from './scene.ts';
import type { StoreSuite } from './suite.ts';

const FAILURE = { code: 'boom', message: 'Boom.', retryable: true };

/** Cases about the guard of commits, and what they write. */
export function commitCases(suite: StoreSuite): void {
  const play = (body: (scene: StoreScene) => Promise<void>) => () => StoreScene.play(suite, body);

  describe('commit', () => {
    it(
      'writes the record and the events together',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const request = await scene.change(record, { type: 'start' });
        expect(await scene.store.commit([request])).toEqual([{ outcome: 'ok' }]);
        expect(await scene.read(record.id)).toEqual(request.record);
        const log = await scene.log(record.id);
        expect(log.slice(2)).toEqual(request.events);
        expect(log.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
      }),
    );

    it(
      'writes every field that the state machine changes',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const started = await scene.apply(record, { type: 'start' });
        const progress = { fraction: 0.25, current: 1, total: 4, message: 'one of four' };
        const moved = await scene.apply(started, { type: 'progress', progress });
        expect(await scene.read(record.id)).toEqual(moved);
        await scene.pass(5);
        const retryAfterMs = 60_000;
        const failed = await scene.apply(moved, { type: 'fail', failure: FAILURE, retryAfterMs });
        expect(await scene.read(record.id)).toEqual(failed);
        const dueAt = failed.updatedAt + retryAfterMs;
        expect(failed).toMatchObject({ failures: 1, progress, error: FAILURE, dueAt });
      }),
    );

    it(
      'keeps the result with the commit that completes the intent',
      play(async (scene) => {
        const record = await scene.completed();
        const found = await scene.store.get({ ids: [record.id], include: 'result' });
        expect(found[0]?.record).toEqual(record);
        expect(found[0]?.result).toEqual(response('done'));
      }),
    );

    it(
      'accepts an empty batch',
      play(async (scene) => {
        expect(await scene.store.commit([])).toEqual([]);
      }),
    );

    it(
      'says that an intent is missing',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const request = await scene.change(record, { type: 'start' });
        const unknown = { ...request, record: { ...request.record, id: scene.nextId() } };
        expect(await scene.store.commit([unknown])).toEqual([{ outcome: 'missing' }]);
        expect(await scene.read(record.id)).toEqual(record);
      }),
    );

    it(
      'of a replaced lease is stale and writes nothing',
      play(async (scene) => {
        const { record } = await scene.claimed({}, { leaseMs: scene.shortLeaseMs });
        await scene.pass(scene.shortLeaseMs);
        await scene.claim({ holder: 'holder-2' });
        const before = await scene.read(record.id);
        const request = await scene.change(record, { type: 'start' });
        expect(await scene.store.commit([request])).toEqual([{ outcome: 'stale' }]);
        expect(await scene.read(record.id)).toEqual(before);
        expect(await scene.log(record.id)).toHaveLength(2);
      }),
    );

    it(
      'of a replaced lease stays stale when the new holder has moved on, and stores no result',
      play(async (scene) => {
        const { record } = await scene.claimed({}, { leaseMs: scene.shortLeaseMs });
        const started = await scene.apply(record, { type: 'start' });
        await scene.pass(scene.shortLeaseMs);
        const { claimed } = await scene.claim({ holder: 'holder-2' });
        const second = await scene.apply(claimed[0]?.record ?? record, { type: 'start' });
        const late = await scene.change(started, { type: 'complete', result: response('late') });
        expect(await scene.store.commit([late])).toEqual([{ outcome: 'stale' }]);
        const found = await scene.store.get({ ids: [record.id], include: 'result' });
        expect(found).toEqual([{ record: second }]);
      }),
    );

    it(
      'of an ended but unclaimed lease is still good',
      play(async (scene) => {
        const { record } = await scene.claimed({}, { leaseMs: scene.shortLeaseMs });
        await scene.pass(2 * scene.shortLeaseMs);
        const request = await scene.change(record, { type: 'start' });
        expect(await scene.store.commit([request])).toEqual([{ outcome: 'ok' }]);
      }),
    );

    it(
      'of a record that has moved on gets the record as it is now, and writes nothing',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const started = await scene.apply(record, { type: 'start' });
        const request = await scene.change(record, { type: 'start' });
        expect(await scene.store.commit([request])).toEqual([
          { outcome: 'moved', record: started },
        ]);
        expect(await scene.read(record.id)).toEqual(started);
        expect(await scene.log(record.id)).toHaveLength(4);
      }),
    );

    it(
      'of a record that has moved on is refused without a lease too',
      play(async (scene) => {
        const { record } = await scene.submit();
        const request = await scene.change(record, { type: 'requestCancel' }, null);
        const { claimed } = await scene.claim();
        const started = await scene.apply(claimed[0]?.record ?? record, { type: 'start' });
        expect(await scene.store.commit([request])).toEqual([
          { outcome: 'moved', record: started },
        ]);
      }),
    );

    it(
      'of a seq ahead of the record is refused',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const ahead = { ...record, seq: 5 };
        const request = await scene.change(ahead, { type: 'start' });
        expect(await scene.store.commit([request])).toEqual([{ outcome: 'moved', record }]);
        expect(await scene.log(record.id)).toHaveLength(2);
      }),
    );

    it(
      'can be repeated without effect when its outcome is unknown',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const start = await scene.change(record, { type: 'start' });
        await scene.store.commit([start]);
        const again = await scene.store.commit([start]);
        expect(again).toEqual([{ outcome: 'moved', record: start.record }]);
        const end = await scene.change(start.record, { type: 'complete', result: response('a') });
        await scene.store.commit([end]);
        expect(await scene.store.commit([end])).toEqual([{ outcome: 'stale' }]);
        expect(await scene.log(record.id)).toEqual([
          ...(await scene.log(record.id)).slice(0, 2),
          ...start.events,
          ...end.events,
        ]);
      }),
    );

    it(
      'by somebody without a lease passes on seq alone',
      play(async (scene) => {
        const { record } = await scene.submit();
        const request = await scene.change(record, { type: 'requestCancel' }, null);
        expect(await scene.store.commit([request])).toEqual([{ outcome: 'ok' }]);
        expect(await scene.read(record.id)).toMatchObject({ status: 'CANCELED', dueAt: null });
        expect((await scene.claim()).claimed).toEqual([]);
      }),
    );

    it(
      'by somebody without a lease leaves a held lease to its holder',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const started = await scene.apply(record, { type: 'start' });
        const request = await scene.change(started, { type: 'requestCancel', actor: 'me' }, null);
        expect(await scene.store.commit([request])).toEqual([{ outcome: 'ok' }]);
        const asked = await scene.read(record.id);
        expect(asked).toEqual(request.record);
        const end = await scene.change(asked, { type: 'cancel' });
        expect(await scene.store.commit([end])).toEqual([{ outcome: 'ok' }]);
        expect(await scene.read(record.id)).toMatchObject({ status: 'CANCELED', holder: null });
      }),
    );

    it(
      'that keeps the lease leaves the lease fields as they are now',
      play(async (scene) => {
        const { record } = await scene.claimed({}, { leaseMs: scene.shortLeaseMs });
        const request = await scene.change(record, { type: 'start' });
        await scene.store.renew({
          now: await scene.now(),
          leaseMs: LONG_LEASE_MS,
          leases: [{ id: record.id, lease: 1 }],
        });
        const { dueAt } = await scene.read(record.id);
        await scene.store.commit([request]);
        expect(await scene.read(record.id)).toEqual({ ...request.record, dueAt });
      }),
    );

    it(
      'that was computed under a lease given back since does not take it again',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const started = await scene.apply(record, { type: 'start' });
        const request = await scene.change(started, { type: 'requestCancel' }, null);
        await scene.store.renew({
          now: await scene.now(),
          leaseMs: LONG_LEASE_MS,
          leases: [{ id: record.id, lease: 1, release: true }],
        });
        const { dueAt } = await scene.read(record.id);
        expect(await scene.store.commit([request])).toEqual([{ outcome: 'ok' }]);
        expect(await scene.read(record.id)).toEqual({ ...request.record, holder: null, dueAt });
      }),
    );

    it(
      'that was computed under a lease replaced since leaves the new lease alone',
      play(async (scene) => {
        const { record } = await scene.claimed({}, { leaseMs: scene.shortLeaseMs });
        const started = await scene.apply(record, { type: 'start' });
        const request = await scene.change(started, { type: 'requestCancel' }, null);
        await scene.pass(scene.shortLeaseMs);
        await scene.claim({ holder: 'holder-2' });
        const { dueAt } = await scene.read(record.id);
        expect(await scene.store.commit([request])).toEqual([{ outcome: 'ok' }]);
        const lease = { lease: 2, holder: 'holder-2', lostLeases: 1, dueAt };
        expect(await scene.read(record.id)).toEqual({ ...request.record, ...lease });
      }),
    );

    it(
      'that gives up the lease never lowers the fence or the count of lost leases',
      play(async (scene) => {
        const { record: first } = await scene.claimed({}, { leaseMs: scene.shortLeaseMs });
        await scene.pass(scene.shortLeaseMs);
        await scene.claim({ holder: 'holder-2' });
        const { claimed } = await scene.claim({ holder: 'holder-2' });
        expect(claimed).toEqual([]);
        const cancel = await scene.change({ ...first, holder: null }, { type: 'cancel' }, null);
        expect(await scene.store.commit([cancel])).toEqual([{ outcome: 'ok' }]);
        expect(await scene.read(first.id)).toMatchObject({
          status: 'CANCELED',
          lease: 2,
          lostLeases: 1,
          holder: null,
          dueAt: null,
        });
      }),
    );

    it(
      'that gives up the lease makes the intent due when it says',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const started = await scene.apply(record, { type: 'start' });
        await scene.apply(started, { type: 'fail', failure: FAILURE, retryAfterMs: 0 });
        const { claimed } = await scene.claim({ holder: 'holder-2' });
        expect(claimed[0]?.record).toMatchObject({ lease: 2, lostLeases: 0 });
        const stale = await scene.change(started, { type: 'progress', progress: {} });
        expect(await scene.store.commit([stale])).toEqual([{ outcome: 'stale' }]);
      }),
    );
  });

  describe('a batch of commits', () => {
    it(
      'is answered one result per request, in order, and no request harms another',
      play(async (scene) => {
        for (let i = 0; i < 3; i += 1) await scene.submit();
        const { claimed } = await scene.claim();
        const [a, b, c] = await Promise.all(
          claimed.map((each) => scene.change(each.record, { type: 'start' })),
        );
        if (a === undefined || b === undefined || c === undefined) throw new Error('Three claims.');
        const stale = { ...b, expected: { ...b.expected, lease: 9 } };
        const missing = { ...b, record: { ...b.record, id: scene.nextId() } };
        const results = await scene.store.commit([a, stale, missing, c]);
        expect(results.map(({ outcome }) => outcome)).toEqual(['ok', 'stale', 'missing', 'ok']);
        expect(await scene.read(a.record.id)).toEqual(a.record);
        expect(await scene.read(b.record.id)).toMatchObject({ seq: 2 });
        expect(await scene.read(c.record.id)).toEqual(c.record);
      }),
    );

    it(
      'applies requests for one intent in order',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const start = await scene.change(record, { type: 'start' });
        const progress = { type: 'progress', progress: { fraction: 0.5 } } as const;
        const middle = await scene.change(start.record, progress);
        const end = await scene.change(middle.record, { type: 'complete', result: response('x') });
        const results = await scene.store.commit([start, middle, end]);
        expect(results).toEqual([{ outcome: 'ok' }, { outcome: 'ok' }, { outcome: 'ok' }]);
        expect(await scene.read(record.id)).toEqual(end.record);
        const log = await scene.log(record.id);
        expect(log.slice(2)).toEqual([...start.events, ...middle.events, ...end.events]);
      }),
    );

    it(
      'shows a later request what an earlier one has written',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const start = await scene.change(record, { type: 'start' });
        const cancel = await scene.change(record, { type: 'requestCancel' }, null);
        const results = await scene.store.commit([start, cancel]);
        expect(results).toEqual([{ outcome: 'ok' }, { outcome: 'moved', record: start.record }]);
      }),
    );

    it(
      'refuses what builds on a refused request',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const start = await scene.change(record, { type: 'start' });
        const progress = { type: 'progress', progress: {} } as const;
        const next = await scene.change(start.record, progress);
        const refused = { ...start, expected: { seq: 1, lease: 1 } };
        const results = await scene.store.commit([refused, next]);
        expect(results).toEqual([
          { outcome: 'moved', record },
          { outcome: 'moved', record },
        ]);
        expect(await scene.log(record.id)).toHaveLength(2);
      }),
    );

    it(
      'holds hundreds of intents',
      play(async (scene) => {
        const requests = [];
        for (let i = 0; i < 300; i += 1) requests.push(await scene.request());
        await scene.store.submit(requests);
        const { claimed } = await scene.claim({ limit: 300 });
        expect(claimed).toHaveLength(300);
        const commits = await Promise.all(
          claimed.map((each) => scene.change(each.record, { type: 'start' })),
        );
        const results = await scene.store.commit(commits);
        expect(results.filter(({ outcome }) => outcome === 'ok')).toHaveLength(300);
        expect((await scene.store.stats()).byStatus).toEqual({ IN_PROGRESS: 300 });
      }),
    );
  });
}
