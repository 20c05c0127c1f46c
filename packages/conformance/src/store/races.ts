import type { Store, SubmitRequest, SubmitResult } from '@durable-api/core';
import { describe, expect, it } from 'vitest';
import { response, StoreScene } from './scene.ts';
import { allowsSeveralStores, type StoreSuite } from './suite.ts';

/** How long the rounds of a race may take together on a slow machine, in ms, and how many it has at least. */
const ROUNDS_MS = 5_000;
const LEAST_ROUNDS = 3;

/** Cases in which calls meet: of one store, and of several where the store allows it. */
export function raceCases(suite: StoreSuite): void {
  const play = (body: (scene: StoreScene) => Promise<void>) => () => StoreScene.play(suite, body);
  const stores = async (scene: StoreScene): Promise<(i: number) => Store> => {
    const { store } = scene;
    const all = allowsSeveralStores(suite) ? [store, await scene.open(), await scene.open()] : [];
    return (i) => all[i % 3] ?? store;
  };

  describe('a race', () => {
    it(
      'of submits with one key makes one intent, and all learn the same',
      play(async (scene) => {
        const racers = await stores(scene);
        let count = 0;
        for (const round of rounds(30)) {
          const requests = [];
          for (let i = 0; i < 6; i += 1) requests.push(await scene.request({ key: `k${round}` }));
          const results = await Promise.all(
            requests.map((request, i) => racers(i).submit([request])),
          );
          const created = requests.filter((_, i) => results[i]?.[0]?.outcome === 'created');
          expect(created).toHaveLength(1);
          const winner = created[0]?.record.id;
          const others = results.flat().filter(isExisting);
          expect(others.map(({ record }) => record.id)).toEqual(others.map(() => winner));
          expect(others).toHaveLength(5);
          count += 1;
        }
        expect((await scene.store.stats()).byStatus).toEqual({ SUBMITTED: count });
      }),
    );

    it(
      'of submits with one live key makes one intent at a time, and all learn the same',
      play(async (scene) => {
        const racers = await stores(scene);
        for (const round of rounds(20)) {
          const liveKey = `end:${round % 2}`;
          const requests: SubmitRequest[] = [];
          for (let i = 0; i < 6; i += 1) {
            const key = i % 2 === 0 ? {} : { key: scene.nextId() };
            requests.push(await scene.request({ liveKey, ...key }));
          }
          const submit = async (): Promise<SubmitResult[]> => {
            const all = requests.map((request, i) => racers(i).submit([request]));
            return (await Promise.all(all)).flat();
          };
          const results = await submit();
          const created = requests.filter((_, i) => results[i]?.outcome === 'created');
          expect(created).toHaveLength(1);
          const [winner] = created;
          if (winner === undefined) return;
          const others = results.filter(isExisting);
          expect(others.map(({ record }) => record.id)).toEqual(others.map(() => winner.record.id));
          await scene.apply(winner.record, { type: 'cancel' });
        }
        expect(Object.keys((await scene.store.stats()).byStatus)).toEqual(['CANCELED']);
      }),
    );

    it(
      'of submits with one live key with the end of its intent loses none of them',
      play(async (scene) => {
        const racers = await stores(scene);
        for (const round of rounds(20)) {
          const liveKey = `end:${round % 2}`;
          const first = await scene.submit({ liveKey });
          const end = await scene.change(first.record, { type: 'cancel' });
          const requests = [];
          for (let i = 0; i < 3; i += 1) requests.push(await scene.request({ liveKey }));
          const [ended, ...answers] = await Promise.all([
            racers(0).commit([end]),
            ...requests.map((request, i) => racers(i).submit([request])),
          ]);
          expect(ended).toEqual([{ outcome: 'ok' }]);
          const results = answers.flat();
          const created = requests.filter((_, i) => results[i]?.outcome === 'created');
          expect(created.length).toBeLessThanOrEqual(1);
          const [second] = created;
          const known = [first.record.id, second?.record.id];
          for (const other of results.filter(isExisting)) expect(known).toContain(other.record.id);
          const { status } = await scene.read(second?.record.id ?? first.record.id);
          expect(status).toBe(second === undefined ? 'CANCELED' : 'SUBMITTED');
          if (second !== undefined) await scene.apply(second.record, { type: 'cancel' });
        }
      }),
    );

    it(
      'of submits with the same keys in opposite order loses and doubles nothing',
      play(async (scene) => {
        const racers = await stores(scene);
        for (const round of rounds(10)) {
          const forth = [];
          const back = [];
          for (let i = 0; i < 20; i += 1) {
            forth.push(await scene.request({ key: `k${round}-${i}` }));
            back.unshift(await scene.request({ key: `k${round}-${i}` }));
          }
          const results = await Promise.all([racers(0).submit(forth), racers(1).submit(back)]);
          const created = results
            .flatMap((each) => each ?? [])
            .filter(({ outcome }) => outcome === 'created');
          expect(created).toHaveLength(20);
        }
      }),
    );

    it(
      'of claims never gives one lease to two',
      play(async (scene) => {
        const racers = await stores(scene);
        const requests = [];
        for (let i = 0; i < 300; i += 1) requests.push(await scene.request());
        await scene.store.submit(requests);
        const taken: string[] = [];
        const drain = async (store: Store, holder: string): Promise<void> => {
          for (;;) {
            const { claimed } = await scene.claim({ holder, limit: 7 }, store);
            if (claimed.length === 0) return;
            for (const { record } of claimed) {
              expect(record).toMatchObject({ holder, lease: 1, lostLeases: 0 });
              taken.push(record.id);
            }
          }
        };
        await Promise.all([0, 1, 2].map((i) => drain(racers(i), `holder-${i}`)));
        expect(taken.sort()).toEqual(requests.map(({ record }) => record.id).sort());
      }),
    );

    it(
      'for a lease that has ended is won by one',
      play(async (scene) => {
        const racers = await stores(scene);
        for (let round = 0; round < 5; round += 1) {
          const operation = `op-${round}`;
          await scene.claimed({ operation }, { leaseMs: scene.shortLeaseMs });
          await scene.pass(scene.shortLeaseMs);
          const results = await Promise.all(
            [0, 1, 2].map((i) =>
              scene.claim({ holder: `racer-${i}`, operations: [operation] }, racers(i)),
            ),
          );
          const won = results.flatMap(({ claimed }) => claimed);
          expect(won).toHaveLength(1);
          expect(won[0]?.record).toMatchObject({ lease: 2, lostLeases: 1 });
        }
      }),
    );

    it(
      'of commits on one seq is won by one, and the others see its record',
      play(async (scene) => {
        const racers = await stores(scene);
        const { record } = await scene.claimed();
        let current = await scene.apply(record, { type: 'start' });
        let count = 0;
        for (const round of rounds(30)) {
          const requests = await Promise.all(
            [1, 2, 3, 4, 5, 6].map((n) =>
              scene.change(current, { type: 'progress', progress: { current: n, total: round } }),
            ),
          );
          const results = await Promise.all(
            requests.map((request, i) => racers(i).commit([request])),
          );
          const outcomes = results.flat();
          const winners = requests.filter((_, i) => outcomes[i]?.outcome === 'ok');
          expect(winners).toHaveLength(1);
          current = winners[0]?.record ?? current;
          const losers = outcomes.filter(({ outcome }) => outcome !== 'ok');
          expect(losers).toEqual(losers.map(() => ({ outcome: 'moved', record: current })));
          expect(losers).toHaveLength(5);
          count += 1;
        }
        const seqs = (await scene.log(record.id)).map(({ seq }) => seq);
        expect(seqs).toEqual(seqs.map((_, i) => i + 1));
        expect(seqs).toHaveLength(4 + count);
      }),
    );

    it(
      'of an end by its holder with an end by somebody else ends the intent once',
      play(async (scene) => {
        const racers = await stores(scene);
        for (const round of rounds(20)) {
          const operation = `op-${round}`;
          const { record } = await scene.claimed({ operation });
          const started = await scene.apply(record, { type: 'start' });
          const done = { type: 'complete', result: response('done') } as const;
          const complete = await scene.change(started, done);
          const timeOut = await scene.change(started, { type: 'timeOut' }, null);
          const results = await Promise.all([
            racers(0).commit([complete]),
            racers(1).commit([timeOut]),
          ]);
          const oks = results
            .flatMap((each) => each ?? [])
            .filter(({ outcome }) => outcome === 'ok');
          expect(oks).toHaveLength(1);
          const log = await scene.log(record.id);
          expect(log.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
          const [found] = await scene.store.get({ ids: [record.id], include: 'result' });
          const completed = found?.record.status === 'COMPLETED';
          expect(found?.result !== undefined).toBe(completed);
          expect(log.at(-1)?.type).toBe(completed ? 'intent.completed' : 'intent.timed_out');
        }
      }),
    );

    it(
      'of a renewal with a claim leaves exactly one of them with the lease',
      play(async (scene) => {
        const racers = await stores(scene);
        for (let round = 0; round < 5; round += 1) {
          const operation = `op-${round}`;
          const { record } = await scene.claimed({ operation }, { leaseMs: scene.shortLeaseMs });
          await scene.pass(scene.shortLeaseMs);
          const now = await scene.now();
          const leases = [{ id: record.id, lease: 1 }];
          const [renewed, claimed] = await Promise.all([
            racers(0).renew({ now, leaseMs: 600_000, leases }),
            scene.claim({ holder: 'racer', operations: [operation] }, racers(1)),
          ]);
          const held = renewed?.[0]?.held === true;
          expect(claimed.claimed).toHaveLength(held ? 0 : 1);
          expect((await scene.read(record.id)).lease).toBe(held ? 1 : 2);
        }
      }),
    );

    it(
      'of many calls at once answers each of them for itself',
      play(async (scene) => {
        const racers = await stores(scene);
        const lives = Array.from({ length: 40 }, async (_, i) => {
          const store = racers(i);
          const operation = `op-${i}`;
          await store.submit([await scene.request({ operation, owner: `owner-${i}` })]);
          const { claimed } = await scene.claim({ operations: [operation] }, store);
          const first = claimed[0]?.record;
          if (first === undefined) throw new Error(`${operation} was not claimed.`);
          const start = await scene.change(first, { type: 'start' });
          await store.commit([start]);
          const done = { type: 'complete', result: response(`result-${i}`) } as const;
          const end = await scene.change(start.record, done);
          expect(await store.commit([end])).toEqual([{ outcome: 'ok' }]);
          const [found] = await store.get({ ids: [first.id], include: 'result' });
          expect(found).toEqual({ record: end.record, result: response(`result-${i}`) });
          return (await scene.log(first.id, store)).map(({ seq }) => seq);
        });
        const logs = await Promise.all(lives);
        expect(logs).toEqual(logs.map(() => [1, 2, 3, 4, 5]));
        expect((await scene.store.stats()).byStatus).toEqual({ COMPLETED: 40 });
      }),
    );

    it(
      'of commits on the same intents in opposite order is decided for each of them',
      play(async (scene) => {
        const racers = await stores(scene);
        let count = 0;
        for (const _ of rounds(10)) {
          const forth = [];
          const back = [];
          const requests = [];
          for (let i = 0; i < 20; i += 1) requests.push(await scene.request());
          await scene.store.submit(requests);
          for (const { record } of requests) {
            const wish = { type: 'requestCancel', actor: 'forth' } as const;
            forth.push(await scene.change(record, wish));
            back.unshift(await scene.change(record, { ...wish, actor: 'back' }));
          }
          const results = await Promise.all([racers(0).commit(forth), racers(1).commit(back)]);
          const outcomes = results.flatMap((each) => each ?? []).map(({ outcome }) => outcome);
          expect(outcomes.filter((outcome) => outcome === 'ok')).toHaveLength(20);
          expect(outcomes.filter((outcome) => outcome === 'moved')).toHaveLength(20);
          count += 20;
        }
        expect((await scene.store.stats()).byStatus).toEqual({ CANCELED: count });
      }),
    );

    it(
      'of prunes removes each intent once',
      play(async (scene) => {
        const racers = await stores(scene);
        const requests = [];
        for (let i = 0; i < 30; i += 1) requests.push(await scene.request());
        await scene.store.submit(requests);
        const cancels = requests.map(({ record }) =>
          scene.change(record, { type: 'requestCancel' }),
        );
        await scene.store.commit(await Promise.all(cancels));
        const now = await scene.now();
        const prune = { now, endedBefore: now + 1000, keyedBefore: now, limit: 7 };
        let removed = 0;
        for (let round = 0; round < 6; round += 1) {
          const counts = await Promise.all([0, 1, 2].map((i) => racers(i).prune(prune)));
          removed += counts.reduce((sum, count) => sum + count, 0);
        }
        expect(removed).toBe(30);
        expect(await scene.store.list({ limit: 10 })).toEqual([]);
      }),
    );

    it(
      'of submits with a prune of what has their key leaves one intent, whole',
      play(async (scene) => {
        const racers = await stores(scene);
        for (const _ of rounds(20)) {
          const { record } = await scene.submit({ key: 'k' });
          const ended = await scene.apply(record, { type: 'requestCancel' });
          const request = await scene.request({ key: 'k' });
          const before = (await scene.now()) + 1000;
          const prune = { now: before, endedBefore: before, keyedBefore: before, limit: 10 };
          const [results] = await Promise.all([
            racers(0).submit([request]),
            racers(1).prune(prune),
          ]);
          const left = await scene.store.list({ limit: 10 });
          if (results[0]?.outcome === 'created') {
            expect(left).toEqual([request.record]);
            expect(await scene.log(request.record.id)).toEqual(request.events);
            await scene.apply(request.record, { type: 'requestCancel' });
          } else {
            expect(results).toEqual([{ outcome: 'exists', record: ended }]);
            expect(left).toEqual([]);
          }
          await scene.store.prune(prune);
        }
      }),
    );
  });
}

/** The numbers of `most` rounds, or of as many as there is time for. */
function* rounds(most: number): Generator<number> {
  const overAt = performance.now() + ROUNDS_MS;
  for (let round = 0; round < most; round += 1) {
    if (round >= LEAST_ROUNDS && performance.now() > overAt) return;
    yield round;
  }
}

function isExisting(result: SubmitResult): result is Extract<SubmitResult, { outcome: 'exists' }> {
  return result.outcome === 'exists';
}
