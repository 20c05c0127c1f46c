import { describe, expect, it } from 'vitest';
import type { IntentRecord, Note } from '@durable-api/core';
import { allowsSeveralStores, type StoreSuite } from './suite.ts';
import { StoreScene } from './scene.ts';

const PROGRESS = { type: 'progress', progress: { fraction: 0.5 } } as const;

/** Cases about what an intent remembers beside its record and its events. */
export function noteCases(suite: StoreSuite): void {
  const play = (body: (scene: StoreScene) => Promise<void>) => () => StoreScene.play(suite, body);

  async function started(scene: StoreScene): Promise<IntentRecord> {
    const { record } = await scene.claimed();
    return scene.apply(record, { type: 'start' });
  }

  async function remember(
    scene: StoreScene,
    record: IntentRecord,
    notes: readonly Note[],
  ): Promise<IntentRecord> {
    const request = { ...(await scene.change(record, PROGRESS)), notes };
    expect(await scene.store.commit([request])).toEqual([{ outcome: 'ok' }]);
    return request.record;
  }

  describe('notes', () => {
    it(
      'are none until one is written',
      play(async (scene) => {
        const record = await started(scene);
        const ids = [record.id, scene.nextId()];
        const found = await scene.store.get({ ids, include: 'notes' });
        expect(found).toEqual([{ record, notes: [] }, undefined]);
      }),
    );

    it(
      'are read back with the record of the commit that wrote them',
      play(async (scene) => {
        let record = await started(scene);
        record = await remember(scene, record, [
          { key: 'step:a', value: '{"value":1}' },
          { key: 'step:b', value: '{"value":"two\\nlines"}' },
        ]);
        record = await remember(scene, record, [{ key: 'step:c', value: 'null' }]);
        expect(await notesOf(scene, record)).toEqual({
          'step:a': '{"value":1}',
          'step:b': '{"value":"two\\nlines"}',
          'step:c': 'null',
        });
      }),
    );

    it(
      'get a new value when their key comes again',
      play(async (scene) => {
        let record = await started(scene);
        const other = { key: 'b', value: '0' };
        record = await remember(scene, record, [{ key: 'a', value: '1' }, other]);
        record = await remember(scene, record, [{ key: 'a', value: '2' }]);
        expect(await notesOf(scene, record)).toEqual({ a: '2', b: '0' });
      }),
    );

    it(
      'take keys of any text, and tell them apart by case and accent',
      play(async (scene) => {
        const keys = [
          'Ä b:c/1',
          'ä b:c/1',
          'a',
          'A',
          '雪 ☃ 😀',
          'it\'s \\ "quoted" %_*',
          'x'.repeat(300),
        ];
        const notes = keys.map((key, i) => ({ key, value: JSON.stringify({ i, key }) }));
        const record = await remember(scene, await started(scene), notes);
        const expected = Object.fromEntries(notes.map(({ key, value }) => [key, value]));
        expect(await notesOf(scene, record)).toEqual(expected);
      }),
    );

    it(
      'may be large and many',
      play(async (scene) => {
        const notes = Array.from({ length: 500 }, (_, i) => ({ key: `n${i}`, value: String(i) }));
        const large = { key: 'large', value: JSON.stringify('é'.repeat(500_000)) };
        const record = await remember(scene, await started(scene), [...notes, large]);
        const read = await notesOf(scene, record);
        expect(Object.keys(read)).toHaveLength(501);
        expect(read['large']).toBe(large.value);
        expect(read['n499']).toBe('499');
      }),
    );

    it(
      'are not written by a commit whose guard fails',
      play(async (scene) => {
        const record = await started(scene);
        const request = await scene.change(record, PROGRESS);
        const note = { key: 'a', value: '1' };
        const stale = { ...request, expected: { seq: record.seq, lease: record.lease + 1 } };
        const late = { ...request, expected: { seq: record.seq - 1, lease: record.lease } };
        const results = await scene.store.commit([
          { ...stale, notes: [note] },
          { ...late, notes: [note] },
        ]);
        expect(results).toEqual([{ outcome: 'stale' }, { outcome: 'moved', record }]);
        expect(await notesOf(scene, record)).toEqual({});
      }),
    );

    it(
      'of one batch go to their own intents, also beside commits without any',
      play(async (scene) => {
        const a = await started(scene);
        const b = await started(scene);
        const c = await started(scene);
        const [forA, forB, forC] = await Promise.all(
          [a, b, c].map((record) => scene.change(record, PROGRESS)),
        );
        if (!forA || !forB || !forC) throw new Error('There is a change for each.');
        const again = await scene.change(forA.record, PROGRESS);
        await scene.store.commit([
          { ...forA, notes: [{ key: 'k', value: '"a"' }] },
          forB,
          { ...forC, notes: [{ key: 'k', value: '"c"' }] },
          { ...again, notes: [{ key: 'k', value: '"again"' }] },
        ]);
        expect(await notesOf(scene, again.record)).toEqual({ k: '"again"' });
        expect(await notesOf(scene, forB.record)).toEqual({});
        expect(await notesOf(scene, forC.record)).toEqual({ k: '"c"' });
      }),
    );

    it(
      'stay when the intent ends, and go when it is removed',
      play(async (scene) => {
        const record = await remember(scene, await started(scene), [{ key: 'k', value: '1' }]);
        const failure = { code: 'boom', message: 'Boom.', retryable: false };
        const ended = await scene.apply(record, { type: 'fail', failure, retryAfterMs: null });
        expect(await notesOf(scene, ended)).toEqual({ k: '1' });
        const now = await scene.now();
        await scene.store.prune({ now, endedBefore: now + 1_000, keyedBefore: now, limit: 10 });
        // What comes after must not inherit them, not even under the same id.
        const again = await scene.submit({ id: record.id });
        expect(await notesOf(scene, again.record)).toEqual({});
      }),
    );

    if (!allowsSeveralStores(suite)) return;

    it(
      'are there for another store on the same data',
      play(async (scene) => {
        const record = await remember(scene, await started(scene), [{ key: 'k', value: '1' }]);
        const other = await scene.open();
        const [found] = await other.get({ ids: [record.id], include: 'notes' });
        expect(found).toEqual({ record, notes: [{ key: 'k', value: '1' }] });
      }),
    );
  });
}

async function notesOf(scene: StoreScene, record: IntentRecord): Promise<Record<string, string>> {
  const [found] = await scene.store.get({ ids: [record.id], include: 'notes' });
  expect(found?.record).toEqual(record);
  return Object.fromEntries((found?.notes ?? []).map(({ key, value }) => [key, value]));
}
