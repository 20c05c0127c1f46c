import { describe, expect, it } from 'vitest';
import { StoreScene } from './scene.ts';
import type { StoreSuite } from './suite.ts';

/** Cases about idempotency keys. */
export function idempotencyCases(suite: StoreSuite): void {
  const play = (body: (scene: StoreScene) => Promise<void>) => () => StoreScene.play(suite, body);

  describe('an idempotency key', () => {
    it(
      'that is there already wins over the newcomer',
      play(async (scene) => {
        const { record } = await scene.submit({ key: 'key-1', fingerprint: 'first' });
        const newcomer = await scene.request({ key: 'key-1', fingerprint: 'second' });
        const results = await scene.store.submit([newcomer]);
        expect(results).toEqual([{ outcome: 'exists', record }]);
      }),
    );

    it(
      'leaves no trace of the newcomer',
      play(async (scene) => {
        await scene.submit({ key: 'key-1' });
        const newcomer = await scene.request({ key: 'key-1' });
        await scene.store.submit([newcomer]);
        const { id } = newcomer.record;
        expect(await scene.store.get({ ids: [id], include: 'input' })).toEqual([undefined]);
        expect(await scene.log(id)).toEqual([]);
        expect((await scene.claim()).claimed).toHaveLength(1);
        expect(await scene.store.list({ limit: 10 })).toHaveLength(1);
        expect((await scene.store.stats()).byStatus).toEqual({ SUBMITTED: 1 });
      }),
    );

    it(
      'wins within one batch too',
      play(async (scene) => {
        const first = await scene.request({ key: 'key-1' });
        const other = await scene.request({ key: 'key-2' });
        const second = await scene.request({ key: 'key-1' });
        const results = await scene.store.submit([first, other, second]);
        expect(results).toEqual([
          { outcome: 'created' },
          { outcome: 'created' },
          { outcome: 'exists', record: first.record },
        ]);
      }),
    );

    it(
      'answers with the intent as it is now',
      play(async (scene) => {
        const record = await scene.completed({ key: 'key-1' });
        const newcomer = await scene.request({ key: 'key-1' });
        expect(await scene.store.submit([newcomer])).toEqual([{ outcome: 'exists', record }]);
      }),
    );

    it(
      'is exact: neither case nor blanks nor accents are folded',
      play(async (scene) => {
        const keys = ['key', 'KEY', 'key ', ' key', 'kéy', 'ke\u0301y', 'key%', '0', '00'];
        const batch = [];
        for (const key of keys) batch.push(await scene.request({ key }));
        const results = await scene.store.submit(batch);
        expect(results).toEqual(keys.map(() => ({ outcome: 'created' })));
      }),
    );

    it(
      'is not needed: intents without one never meet',
      play(async (scene) => {
        const batch = [await scene.request(), await scene.request(), await scene.request()];
        const results = await scene.store.submit(batch);
        expect(results).toEqual(batch.map(() => ({ outcome: 'created' })));
      }),
    );

    it(
      'is found before an id that is there too',
      play(async (scene) => {
        const { record: byKey } = await scene.submit({ key: 'key-1' });
        const { record: byId } = await scene.submit();
        const newcomer = await scene.request({ id: byId.id, key: 'key-1' });
        const results = await scene.store.submit([newcomer]);
        expect(results).toEqual([{ outcome: 'exists', record: byKey }]);
      }),
    );

    it(
      'is not taken by a newcomer whose id was there',
      play(async (scene) => {
        const { record } = await scene.submit();
        await scene.store.submit([await scene.request({ id: record.id, key: 'key-1' })]);
        const free = await scene.request({ key: 'key-1' });
        expect(await scene.store.submit([free])).toEqual([{ outcome: 'created' }]);
      }),
    );
  });
}
