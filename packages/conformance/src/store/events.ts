import { describe, expect, it } from 'vitest';
import { response, StoreScene } from './scene.ts';
import type { StoreSuite } from './suite.ts';

/** Cases about reading events. */
export function eventsCases(suite: StoreSuite): void {
  const play = (body: (scene: StoreScene) => Promise<void>) => () => StoreScene.play(suite, body);

  describe('events', () => {
    it(
      'come in ascending seq without a gap, exactly as they were written',
      play(async (scene) => {
        const request = await scene.submit();
        const { claimed } = await scene.claim();
        const first = claimed[0]?.record ?? request.record;
        const start = await scene.change(first, { type: 'start' });
        const end = await scene.change(start.record, { type: 'complete', result: response('x') });
        await scene.store.commit([start, end]);
        const log = await scene.log(first.id);
        expect(log).toEqual([...request.events, ...start.events, ...end.events]);
        expect(log.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
        expect(log.at(-1)?.type).toBe('intent.completed');
      }),
    );

    it(
      'start after the given seq, also in the middle of a commit',
      play(async (scene) => {
        const { id } = await scene.completed();
        const all = await scene.log(id);
        for (let after = 0; after <= all.length; after += 1) {
          const [events] = await scene.store.events({ of: [{ id, after }], limit: 100 });
          expect(events).toEqual(all.slice(after));
        }
      }),
    );

    it(
      'after the end are none',
      play(async (scene) => {
        const { id } = await scene.completed();
        for (const after of [1_000, 2 ** 31, 2 ** 32, 999_999_999_999_999]) {
          const [events] = await scene.store.events({ of: [{ id, after }], limit: 100 });
          expect(events).toEqual([]);
        }
      }),
    );

    it(
      'of an unknown intent are none',
      play(async (scene) => {
        const known = await scene.submit();
        const of = [
          { id: scene.nextId(), after: 0 },
          { id: known.record.id, after: 0 },
          { id: 'no id at all', after: 0 },
        ];
        const lists = await scene.store.events({ of, limit: 100 });
        expect(lists).toEqual([[], known.events, []]);
      }),
    );

    it(
      'of several intents come in the order of the request, each after its own seq',
      play(async (scene) => {
        const a = await scene.submit();
        const b = await scene.submit();
        const of = [
          { id: b.record.id, after: 1 },
          { id: a.record.id, after: 0 },
          { id: b.record.id, after: 0 },
        ];
        const lists = await scene.store.events({ of, limit: 100 });
        expect(lists).toEqual([b.events.slice(1), a.events, b.events]);
      }),
    );

    it(
      'of no intent are no lists',
      play(async (scene) => {
        expect(await scene.store.events({ of: [], limit: 100 })).toEqual([]);
      }),
    );

    it(
      'are read to the end in pages, none lost and none twice',
      play(async (scene) => {
        const id = await longIntent(scene, 60);
        const all = await scene.log(id);
        expect(all).toHaveLength(64);
        for (const limit of [1, 2, 3, 7, 50]) {
          const paged = [];
          for (let pages = 0; pages <= all.length; pages += 1) {
            const [page] = await scene.store.events({ of: [{ id, after: paged.length }], limit });
            if (page === undefined || page.length === 0) break;
            paged.push(...page);
          }
          expect(paged).toEqual(all);
        }
      }),
    );

    it(
      'of a page are about as many as asked for',
      play(async (scene) => {
        const id = await longIntent(scene, 60);
        const [page] = await scene.store.events({ of: [{ id, after: 4 }], limit: 20 });
        expect(page).toHaveLength(20);
        expect(page?.[0]?.seq).toBe(5);
      }),
    );

    it(
      'of one commit are never torn apart by a page',
      play(async (scene) => {
        const { id } = await scene.completed();
        const page = async (after: number): Promise<number[]> => {
          const [events] = await scene.store.events({ of: [{ id, after }], limit: 1 });
          return (events ?? []).map(({ seq }) => seq);
        };
        expect(await page(0)).toEqual([1, 2]);
        expect(await page(2)).toEqual([3, 4]);
        expect(await page(3)).toEqual([4]);
        expect(await page(4)).toEqual([5]);
      }),
    );

    it(
      'limit each intent on its own',
      play(async (scene) => {
        const a = await longIntent(scene, 30);
        const b = await longIntent(scene, 30);
        const of = [
          { id: a, after: 4 },
          { id: b, after: 4 },
        ];
        const lists = await scene.store.events({ of, limit: 10 });
        expect(lists.map((list) => list.length)).toEqual([10, 10]);
      }),
    );

    it(
      'never change once they are written',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const started = await scene.apply(record, { type: 'start' });
        const before = await scene.log(record.id);
        await scene.apply(started, { type: 'complete', result: response('x') });
        const after = await scene.log(record.id);
        expect(after.slice(0, before.length)).toEqual(before);
      }),
    );

    it(
      'are paged without a gap up to the end, however much lies between',
      play(async (scene) => {
        const id = await longIntent(scene, 5);
        const result = response('done');
        const ended = await scene.apply(await scene.read(id), { type: 'complete', result });
        for (const limit of [1, 2, 4, 8]) {
          const paged: number[] = [];
          while (paged.length < ended.seq) {
            const [page] = await scene.store.events({ of: [{ id, after: paged.length }], limit });
            if (page === undefined || page.length === 0) break;
            paged.push(...page.map(({ seq }) => seq));
          }
          expect(paged).toEqual(Array.from({ length: ended.seq }, (_, i) => i + 1));
        }
      }),
    );
  });
}

/** An intent with four first events and then `count` of progress, each of its own commit. */
async function longIntent(scene: StoreScene, count: number): Promise<string> {
  const { record } = await scene.claimed();
  let current = await scene.apply(record, { type: 'start' });
  const commits = [];
  for (let i = 1; i <= count; i += 1) {
    const progress = { type: 'progress', progress: { current: i } } as const;
    const request = await scene.change(current, progress);
    commits.push(request);
    current = request.record;
  }
  await scene.store.commit(commits);
  return record.id;
}
