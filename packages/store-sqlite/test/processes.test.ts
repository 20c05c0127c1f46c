import { describe, expect, it } from 'vitest';
import { ChildStore } from './support/child-store.ts';
import { dataPath } from './support/data-folder.ts';
import { claimRequest, submitRequest } from './support/intents.ts';
import { openStore } from './support/open-store.ts';

describe('two processes on one file', () => {
  it('read what the other one has written', async () => {
    const path = dataPath();
    const store = await openStore(path);
    const child = await ChildStore.start(path);
    const request = submitRequest({ input: '{"body":"from the child"}' });
    await child.order({ do: 'submit', batch: [request] });
    const found = await store.get({ ids: [request.record.id], include: 'input' });
    expect(found).toEqual([{ record: request.record, input: request.input }]);
    const mine = submitRequest();
    await store.submit([mine]);
    const answer = await child.order({ do: 'submit', batch: [mine] });
    expect(answer).toEqual([{ outcome: 'exists', record: mine.record }]);
  });

  it('hear of each other at once, by id', async () => {
    const path = dataPath();
    const store = await openStore(path);
    const heard = new Map<string, number>();
    store.watch(({ ids }) => {
      for (const id of ids ?? []) heard.set(id, performance.now());
    });
    const child = await ChildStore.start(path);
    const delays = [];
    for (let i = 0; i < 20; i += 1) {
      const request = submitRequest();
      await child.order({ do: 'submit', batch: [request] });
      const storedAt = performance.now();
      await expect.poll(() => heard.has(request.record.id), { interval: 1 }).toBe(true);
      delays.push((heard.get(request.record.id) ?? Infinity) - storedAt);
    }
    // Without the notification it would be up to five seconds, and some of twenty come close.
    expect(Math.max(...delays)).toBeLessThan(1_500);
    await child.order({ do: 'watch' });
    const mine = submitRequest();
    await store.submit([mine]);
    await expect.poll(() => child.hints.flat()).toContain(mine.record.id);
  });

  it('do not hear of themselves', async () => {
    const path = dataPath();
    const store = await openStore(path);
    const child = await ChildStore.start(path);
    const heard: string[] = [];
    store.watch(({ ids }) => heard.push(...(ids ?? [])));
    const mine = submitRequest();
    await store.submit([mine]);
    const theirs = submitRequest();
    await child.order({ do: 'submit', batch: [theirs] });
    await expect.poll(() => heard).toContain(theirs.record.id);
    expect(heard).not.toContain(mine.record.id);
  });

  it('both get on while the other writes as much as it can', async () => {
    const path = dataPath();
    const store = await openStore(path);
    const child = await ChildStore.start(path);
    await child.order({ do: 'flood' });
    for (let i = 0; i < 100; i += 1) {
      const request = submitRequest({ operation: 'mine' });
      expect(await store.submit([request])).toEqual([{ outcome: 'created' }]);
    }
    const before = child.stored.length;
    await expect.poll(() => child.stored.length).toBeGreaterThan(before);
    await child.kill();
    const { byStatus } = await store.stats();
    expect(byStatus.SUBMITTED).toBeGreaterThanOrEqual(100 + child.stored.length);
  });

  it('never claim one lease twice', async () => {
    const path = dataPath();
    const store = await openStore(path);
    const child = await ChildStore.start(path);
    await store.submit(Array.from({ length: 200 }, () => submitRequest()));
    const taken: unknown[] = [];
    const drain = async (claim: () => Promise<unknown>): Promise<void> => {
      for (;;) {
        const result = await claim();
        const claimed = isClaim(result) ? result.claimed : [];
        if (claimed.length === 0) return;
        taken.push(...claimed.map(({ record }) => record.id));
      }
    };
    await Promise.all([
      drain(() => store.claim({ ...claimRequest('here'), limit: 3 })),
      drain(() => child.order({ do: 'claim', request: { ...claimRequest('there'), limit: 3 } })),
    ]);
    expect(taken).toHaveLength(200);
    expect(new Set(taken).size).toBe(200);
  });
});

function isClaim(result: unknown): result is { claimed: readonly { record: { id: string } }[] } {
  return typeof result === 'object' && result !== null && 'claimed' in result;
}
