import { renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dataPath } from './support/data-folder.ts';
import { submitRequest } from './support/intents.ts';
import { openStore } from './support/open-store.ts';

const moved = {
  name: 'DurableError',
  code: 'store_unavailable',
  message: expect.stringContaining('removed or replaced'),
};

describe('a file that is taken away under an open store', () => {
  it.each(['alone', 'with its log'])('%s: no write into it is acknowledged', async (how) => {
    const path = dataPath();
    const store = await openStore(path);
    await store.submit([submitRequest()]);
    rmSync(path);
    if (how === 'with its log') for (const end of ['wal', 'shm']) rmSync(`${path}-${end}`);
    await expect(store.submit([submitRequest()])).rejects.toMatchObject(moved);
    const acknowledged = submitRequest();
    await store.submit([acknowledged]);
    await store.close();
    const [found] = await (await openStore(path)).get({ ids: [acknowledged.record.id] });
    expect(found?.record.id).toBe(acknowledged.record.id);
  });

  it('and replaced by another is given up for that one', async () => {
    const [path, other] = [dataPath(), dataPath()];
    const restored = submitRequest();
    const backup = await openStore(other);
    await backup.submit([restored]);
    await backup.close();
    const store = await openStore(path);
    await store.submit([submitRequest()]);
    for (const end of ['-wal', '-shm']) rmSync(path + end);
    renameSync(other, path);
    await expect(store.submit([submitRequest()])).rejects.toMatchObject(moved);
    const [found] = await store.get({ ids: [restored.record.id] });
    expect(found?.record.id).toBe(restored.record.id);
    expect((await store.stats()).byStatus).toEqual({ SUBMITTED: 1 });
  });

  it('with its folder: says so until there is one again', async () => {
    const path = dataPath();
    const store = await openStore(path);
    await store.submit([submitRequest()]);
    rmSync(dirname(path), { recursive: true });
    await expect(store.submit([submitRequest()])).rejects.toMatchObject(moved);
    await expect(store.submit([submitRequest()])).rejects.toThrow('There is no folder');
  });
});
