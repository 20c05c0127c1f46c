import { describe, expect, it } from 'vitest';
import { StoreScene } from './scene.ts';
import type { StoreSuite } from './suite.ts';

/** Cases about counting intents. */
export function statsCases(suite: StoreSuite): void {
  const play = (body: (scene: StoreScene) => Promise<void>) => () => StoreScene.play(suite, body);

  describe('stats', () => {
    it(
      'of an empty store counts nothing',
      play(async (scene) => {
        expect(await scene.store.stats()).toMatchObject({ byStatus: {} });
      }),
    );

    it(
      'counts the intents of each status, and names no status that none has',
      play(async (scene) => {
        await scene.completed();
        await scene.completed();
        await scene.submit({ operation: 'export' });
        const { record } = await scene.claimed({ operation: 'import' });
        await scene.apply(record, { type: 'start' });
        const { byStatus } = await scene.store.stats();
        expect(byStatus).toEqual({ COMPLETED: 2, SUBMITTED: 1, IN_PROGRESS: 1 });
      }),
    );

    it(
      'counts the intents of all owners and operations',
      play(async (scene) => {
        await scene.submit({ owner: 'a', operation: 'report' });
        await scene.submit({ owner: 'b', operation: 'export' });
        expect((await scene.store.stats()).byStatus).toEqual({ SUBMITTED: 2 });
      }),
    );
  });
}
