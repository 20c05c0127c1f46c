import type { Command, IntentRecord } from '@durable-api/core';
import { describe, expect, it } from 'vitest';
import { StoreScene } from './scene.ts';
import type { StoreSuite } from './suite.ts';

/** Cases about intents that are shown to wait because nobody takes their operation. */
export function parkingCases(suite: StoreSuite): void {
  const play = (body: (scene: StoreScene) => Promise<void>) => () => StoreScene.play(suite, body);

  describe('an intent that is parked', () => {
    for (const keyed of [undefined, 'tenant']) {
      const which = keyed === undefined ? 'without a key' : 'with one';
      it(
        `is claimed when it would have been: ${which}`,
        play(async (scene) => {
          const now = await scene.now();
          const wish = keyed === undefined ? {} : { keyed };
          const ids = [];
          for (const startAt of [now - 3, now - 2, now - 1]) {
            const { record } = await scene.submit({ ...wish, createdAt: startAt });
            ids.push(record.id);
          }
          const second = await scene.read(ids[1] ?? '');
          const parked = await scene.apply(second, park(second));
          expect(parked).toMatchObject({ status: 'WAITING', dueAt: second.dueAt, holder: null });
          expect(await scene.read(parked.id)).toEqual(parked);
          const one = { operation: 'report', room: null, perKey: null, rateLimit: null };
          const { claimed } = await scene.claim(
            keyed === undefined ? {} : { operations: [], keyed: [one] },
          );
          expect(claimed.map(({ record }) => record.id)).toEqual(ids);
          const taken = claimed[1]?.record;
          expect(taken).toMatchObject({ lease: 1, lostLeases: 0, error: parked.error });
          if (taken !== undefined) await scene.apply(taken, { type: 'start' });
          expect((await scene.read(parked.id)).error).toBeNull();
        }),
      );
    }

    it(
      'is out of the hands of who held its lease',
      play(async (scene) => {
        const { record } = await scene.claimed();
        const started = await scene.apply(record, { type: 'start' });
        const request = await scene.change(started, park(started), null);
        expect(await scene.store.commit([request])).toEqual([{ outcome: 'ok' }]);
        const late = await scene.change(started, { type: 'progress', progress: { fraction: 1 } });
        expect(await scene.store.commit([late])).toEqual([{ outcome: 'stale' }]);
        expect(await scene.read(record.id)).toMatchObject({ lease: 1, holder: null });
      }),
    );
  });
}

function park({ seq, lease }: IntentRecord): Command {
  const message = 'No process takes it.';
  return {
    type: 'park',
    seq,
    lease,
    failure: { code: 'operation_not_declared', message, retryable: true },
  };
}
