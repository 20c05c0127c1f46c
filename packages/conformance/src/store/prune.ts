import { describe, expect, it } from 'vitest';
import { StoreScene } from './scene.ts';
import type { StoreSuite } from './suite.ts';

/** Cases about removing old intents. */
export function pruneCases(suite: StoreSuite): void {
  const play = (body: (scene: StoreScene) => Promise<void>) => () => StoreScene.play(suite, body);

  describe('prune', () => {
    it(
      'removes an old terminal intent with all that belongs to it',
      play(async (scene) => {
        const { id, updatedAt } = await scene.completed();
        const { record: kept } = await scene.submit();
        const endedBefore = updatedAt + 1;
        const now = await scene.now();
        const count = await scene.store.prune({ now, endedBefore, keyedBefore: 0, limit: 10 });
        expect(count).toBe(1);
        expect(await scene.store.get({ ids: [id], include: 'result' })).toEqual([undefined]);
        expect(await scene.store.get({ ids: [id], include: 'input' })).toEqual([undefined]);
        expect(await scene.log(id)).toEqual([]);
        expect(await scene.store.list({ limit: 10 })).toEqual([kept]);
        expect((await scene.store.stats()).byStatus).toEqual({ SUBMITTED: 1 });
      }),
    );

    it(
      'leaves terminal intents that were updated at or after the instant',
      play(async (scene) => {
        const { id, updatedAt } = await scene.completed();
        const now = await scene.now();
        const prune = { now, endedBefore: updatedAt, keyedBefore: updatedAt, limit: 10 };
        expect(await scene.store.prune(prune)).toBe(0);
        expect(await scene.read(id)).toMatchObject({ status: 'COMPLETED' });
        expect(await scene.log(id)).toHaveLength(5);
      }),
    );

    it(
      'never removes what has not ended, however old',
      play(async (scene) => {
        const createdAt = (await scene.now()) - 1e10;
        await scene.submit({ createdAt });
        await scene.claimed({ createdAt, operation: 'export' });
        const now = await scene.now();
        const prune = { now, endedBefore: now + 1, keyedBefore: now + 1, limit: 10 };
        expect(await scene.store.prune(prune)).toBe(0);
        expect(await scene.store.list({ limit: 10 })).toHaveLength(2);
      }),
    );

    it(
      'removes what failed, was canceled or timed out as well',
      play(async (scene) => {
        const failure = { code: 'boom', message: 'Boom.', retryable: false };
        const failed = (await scene.claimed()).record;
        await scene.apply(failed, { type: 'giveUp', failure });
        const canceled = (await scene.submit()).record;
        await scene.apply(canceled, { type: 'requestCancel' });
        const late = (await scene.submit()).record;
        await scene.apply(late, { type: 'timeOut' });
        const now = await scene.now();
        const prune = { now, endedBefore: now + 1000, keyedBefore: now, limit: 10 };
        expect(await scene.store.prune(prune)).toBe(3);
        expect(await scene.store.list({ limit: 10 })).toEqual([]);
      }),
    );

    it(
      'keeps a keyed intent that was created at or after keyedBefore',
      play(async (scene) => {
        const { id, createdAt, updatedAt } = await scene.completed({ key: 'k' });
        const now = await scene.now();
        const prune = { now, endedBefore: updatedAt + 1, keyedBefore: createdAt, limit: 10 };
        expect(await scene.store.prune(prune)).toBe(0);
        expect(await scene.store.prune({ ...prune, keyedBefore: createdAt + 1 })).toBe(1);
        expect(await scene.store.get({ ids: [id] })).toEqual([undefined]);
      }),
    );

    it(
      'frees the key and the id',
      play(async (scene) => {
        const { id } = await scene.completed({ key: 'k' });
        const now = await scene.now();
        const before = now + 1000;
        await scene.store.prune({ now, endedBefore: before, keyedBefore: before, limit: 10 });
        const again = await scene.request({ id, key: 'k' });
        expect(await scene.store.submit([again])).toEqual([{ outcome: 'created' }]);
        expect(await scene.log(id)).toEqual(again.events);
        const found = await scene.store.get({ ids: [id], include: 'result' });
        expect(found).toEqual([{ record: again.record }]);
      }),
    );

    it(
      'removes no more than the limit, and goes on when called again',
      play(async (scene) => {
        for (let i = 0; i < 5; i += 1) await scene.completed();
        const now = await scene.now();
        const prune = { now, endedBefore: now + 1000, keyedBefore: now, limit: 2 };
        const counts = [];
        for (let i = 0; i < 4; i += 1) counts.push(await scene.store.prune(prune));
        expect(counts).toEqual([2, 2, 1, 0]);
      }),
    );

    it(
      'is not held up by keyed intents that have to stay',
      play(async (scene) => {
        const { createdAt } = await scene.completed({ key: 'a' });
        await scene.completed({ key: 'b' });
        await scene.pass(5);
        await scene.completed();
        const now = await scene.now();
        const prune = { now, endedBefore: now + 1000, keyedBefore: createdAt, limit: 1 };
        expect(await scene.store.prune(prune)).toBe(1);
        expect((await scene.store.stats()).byStatus).toEqual({ COMPLETED: 2 });
      }),
    );
  });
}
