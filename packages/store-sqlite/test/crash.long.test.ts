import { describe, expect, it } from 'vitest';
import { sqliteStore } from '@durable-api/store-sqlite';
import { checkIntegrity } from './support/check-integrity.ts';
import { ChildStore } from './support/child-store.ts';
import { dataPath } from './support/data-folder.ts';

describe('kill -9 in the middle of writes', () => {
  it('loses nothing that was acknowledged, and damages nothing', async () => {
    const path = dataPath();
    const acknowledged: string[] = [];
    for (let round = 1; round <= 5; round += 1) {
      const children = [await ChildStore.start(path), await ChildStore.start(path)];
      for (const child of children) await child.order({ do: 'flood' });
      for (const child of children) {
        await expect.poll(() => child.stored.length).toBeGreaterThan(100 * round);
      }
      await Promise.all(children.map((child) => child.kill()));
      acknowledged.push(...children.flatMap((child) => child.stored));
    }
    const store = sqliteStore(path);
    await store.migrate();
    const found = await store.get({ ids: acknowledged, include: 'input' });
    expect(found.filter((each) => each?.input !== '{"body":{}}')).toEqual([]);
    const of = acknowledged.map((id) => ({ id, after: 0 }));
    const logs = await store.events({ of, limit: 10 });
    expect(logs.filter((log) => log.length !== 2)).toEqual([]);
    const { byStatus } = await store.stats();
    expect(byStatus.SUBMITTED).toBeGreaterThanOrEqual(acknowledged.length);
    await store.close();
    expect(checkIntegrity(path)).toBe('ok');
  });
});
