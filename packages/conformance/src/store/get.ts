import { describe, expect, it } from 'vitest';
import { response, StoreScene } from './scene.ts';
import type { StoreSuite } from './suite.ts';

/** Cases about reading intents by id. */
export function getCases(suite: StoreSuite): void {
  const play = (body: (scene: StoreScene) => Promise<void>) => () => StoreScene.play(suite, body);

  describe('get', () => {
    it(
      'gives one entry per id, in order, undefined where there is none',
      play(async (scene) => {
        const { record: a } = await scene.submit();
        const { record: b } = await scene.submit();
        const ids = [b.id, scene.nextId(), a.id, b.id, '', 'no id at all', b.id.toUpperCase()];
        const found = await scene.store.get({ ids });
        expect(found).toEqual([
          { record: b },
          undefined,
          { record: a },
          { record: b },
          undefined,
          undefined,
          undefined,
        ]);
      }),
    );

    it(
      'of no ids is empty',
      play(async (scene) => {
        expect(await scene.store.get({ ids: [] })).toEqual([]);
      }),
    );

    it(
      'reads neither input nor result unless asked',
      play(async (scene) => {
        const record = await scene.completed();
        expect(await scene.store.get({ ids: [record.id] })).toEqual([{ record }]);
      }),
    );

    it(
      'reads the input when asked, also after the end',
      play(async (scene) => {
        const record = await scene.completed({ input: '{"body":{"quarter":"Q3"}}' });
        const found = await scene.store.get({ ids: [record.id], include: 'input' });
        expect(found).toEqual([{ record, input: '{"body":{"quarter":"Q3"}}' }]);
      }),
    );

    it(
      'reads the result when asked and there is one',
      play(async (scene) => {
        const done = await scene.completed();
        const { record: open } = await scene.submit();
        const found = await scene.store.get({ ids: [done.id, open.id], include: 'result' });
        expect(found[0]?.result).toEqual(response('done'));
        expect(found[1]).toEqual({ record: open });
      }),
    );

    it(
      'reads what the last acknowledged write has left, whoever wrote it',
      play(async (scene) => {
        const { record } = await scene.claimed();
        let current = await scene.apply(record, { type: 'start' });
        for (let i = 1; i <= 20; i += 1) {
          const progress = { current: i };
          current = await scene.apply(current, { type: 'progress', progress });
          expect(await scene.read(record.id)).toEqual(current);
        }
      }),
    );
  });
}
