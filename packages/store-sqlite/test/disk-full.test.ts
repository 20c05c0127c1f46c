import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '@durable-api/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sqliteStore } from '@durable-api/store-sqlite';
import { checkIntegrity } from './support/check-integrity.ts';
import { submitRequest } from './support/intents.ts';
import { openStore } from './support/open-store.ts';

const MIB = 1024 * 1024;

/** A folder on a real file system of 8 MiB; null when this user may not mount one. */
function smallDisk(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'durable-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { stdio: 'pipe' });
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
  onTestFinished(() => {
    execFileSync('umount', [folder]);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

const freeBytes = (folder: string): number => {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
};

/** Submits until the store refuses; returns the ids that were acknowledged, and the refusal. */
async function fill(store: Store): Promise<{ ids: string[]; error: unknown }> {
  const ids: string[] = [];
  const input = JSON.stringify('x'.repeat(20_000));
  for (;;) {
    const request = submitRequest({ input });
    try {
      await store.submit([request]);
      ids.push(request.record.id);
    } catch (error) {
      return { ids, error };
    }
  }
}

const canMount = ((): boolean => {
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
})();
if (!canMount) {
  process.stderr.write('NOT TESTED: a full disk, since this user may not mount a small one.\n');
}

describe.runIf(canMount)('on a disk that is full', () => {
  it('writes are refused with 507, what was acknowledged is there, and space mends it', async () => {
    const folder = smallDisk();
    if (folder === null) throw new Error('Mounting was permitted a moment ago.');
    const path = join(folder, 'operations.db');
    const ballast = [1, 2, 3].map((n) => join(folder, `ballast-${n}`));
    for (const file of ballast) writeFileSync(file, Buffer.alloc(MIB));
    const store = await openStore(path);
    const acknowledged: string[] = [];
    for (const file of ballast) {
      const { ids, error } = await fill(store);
      acknowledged.push(...ids);
      expect(error).toMatchObject({
        name: 'DurableError',
        code: 'store_full',
        status: 507,
        options: { retryAfterSeconds: 1 },
      });
      const found = await store.get({ ids: acknowledged, include: 'input' });
      expect(found.every((each) => each?.input?.length === 20_002)).toBe(true);
      rmSync(file);
      expect(await store.submit([submitRequest()])).toEqual([{ outcome: 'created' }]);
    }
    await store.close();
    expect(checkIntegrity(path)).toBe('ok');
  });

  it('a store cannot be made, and can as soon as there is space', async () => {
    const folder = smallDisk();
    if (folder === null) throw new Error('Mounting was permitted a moment ago.');
    const ballast = join(folder, 'ballast');
    writeFileSync(ballast, Buffer.alloc(freeBytes(folder)));
    const store = sqliteStore(join(folder, 'operations.db'));
    await expect(store.migrate()).rejects.toMatchObject({ code: 'store_full', status: 507 });
    rmSync(ballast);
    await store.migrate();
    expect(await store.submit([submitRequest()])).toEqual([{ outcome: 'created' }]);
    await store.close();
  });
});
