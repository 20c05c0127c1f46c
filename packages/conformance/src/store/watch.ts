import type { IntentRecord, Store } from '@durable-api/core';
import { describe, expect, it, vi } from 'vitest';
import { LONG_LEASE_MS, StoreScene } from './scene.ts';
import { allowsSeveralStores, type StoreSuite } from './suite.ts';

/** How long a hint may take, in milliseconds, before a test gives it up. */
const PATIENCE_MS = 60_000;

/** Cases about hints of what others have written. */
export function watchCases(suite: StoreSuite): void {
  const play = (body: (scene: StoreScene) => Promise<void>) => () => StoreScene.play(suite, body);

  if (!suite.capabilities.watches || !allowsSeveralStores(suite)) return;

  describe('watch', () => {
    it(
      'tells of an intent that another store has submitted',
      play(async (scene) => {
        const hints = new Hints(scene.store);
        const other = await scene.open();
        const request = await scene.request();
        await other.submit([request]);
        await hints.of(request.record.id);
      }),
    );

    it(
      'tells of what another store has committed',
      play(async (scene) => {
        const other = await scene.open();
        const { record } = await scene.claimed();
        const started = await scene.apply(record, { type: 'start' });
        const hints = new Hints(scene.store);
        const request = await scene.change(started, { type: 'requestCancel' }, null);
        await other.commit([request]);
        await hints.of(record.id);
      }),
    );

    it(
      'tells of a lease that another store has given back',
      play(async (scene) => {
        const other = await scene.open();
        await scene.submit();
        const { claimed } = await scene.claim({ holder: 'holder-2' }, other);
        const id = claimed[0]?.record.id ?? '';
        const hints = new Hints(scene.store);
        await other.renew({
          now: await scene.now(),
          leaseMs: LONG_LEASE_MS,
          leases: [{ id, lease: 1, release: true }],
        });
        await hints.of(id);
      }),
    );

    it(
      'tells when the change can be read already',
      play(async (scene) => {
        const other = await scene.open();
        const request = await scene.request();
        const read = new Promise<IntentRecord>((resolve) => {
          const look = async (): Promise<void> => {
            const [found] = await scene.store.get({ ids: [request.record.id] });
            if (found !== undefined) resolve(found.record);
          };
          scene.store.watch(({ ids }) => {
            if (ids === null || ids.includes(request.record.id)) void look();
          });
        });
        await other.submit([request]);
        expect(await read).toEqual(request.record);
      }),
    );

    it(
      'tells every listener',
      play(async (scene) => {
        const all = [new Hints(scene.store), new Hints(scene.store)];
        const other = await scene.open();
        const request = await scene.request();
        await other.submit([request]);
        for (const hints of all) await hints.of(request.record.id);
      }),
    );

    it(
      'tells of each of many changes',
      play(async (scene) => {
        const hints = new Hints(scene.store);
        const other = await scene.open();
        for (let i = 0; i < 20; i += 1) {
          const request = await scene.request();
          await other.submit([request]);
          await hints.of(request.record.id);
        }
      }),
    );

    it(
      'tells of changes in both directions',
      play(async (scene) => {
        const other = await scene.open();
        const here = new Hints(scene.store);
        const there = new Hints(other);
        const [toHere, toThere] = [await scene.request(), await scene.request()];
        await other.submit([toHere]);
        await scene.store.submit([toThere]);
        await here.of(toHere.record.id);
        await there.of(toThere.record.id);
      }),
    );

    it(
      'tells nothing more once it has ended',
      play(async (scene) => {
        const ended = new Hints(scene.store);
        const going = new Hints(scene.store);
        const other = await scene.open();
        const before = await scene.request();
        await other.submit([before]);
        await ended.of(before.record.id);
        ended.end();
        ended.end();
        const count = ended.count;
        const after = await scene.request();
        await other.submit([after]);
        await going.of(after.record.id);
        expect(ended.count).toBe(count);
      }),
    );

    it(
      'ends with its store',
      play(async (scene) => {
        const closing = await scene.open();
        const ended = new Hints(closing);
        const going = new Hints(scene.store);
        const other = await scene.open();
        await closing.close();
        const count = ended.count;
        const request = await scene.request();
        await other.submit([request]);
        await going.of(request.record.id);
        expect(ended.count).toBe(count);
      }),
    );
  });
}

/** Gathers the hints of one store. */
class Hints {
  readonly #seen: (readonly string[] | null)[] = [];
  readonly end: () => void;

  constructor(store: Store) {
    this.end = store.watch(({ ids }) => this.#seen.push(ids));
  }

  get count(): number {
    return this.#seen.length;
  }

  /** Waits for a hint that names `id`, or that does not say what has changed. */
  async of(id: string): Promise<void> {
    const named = (): boolean => this.#seen.some((ids) => ids === null || ids.includes(id));
    await vi.waitFor(() => expect(named()).toBe(true), { timeout: PATIENCE_MS, interval: 2 });
  }
}
