import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { sqliteStore } from '@durable-api/store-sqlite';
import { dataPath } from './support/data-folder.ts';
import { submitRequest } from './support/intents.ts';
import { openStore } from './support/open-store.ts';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('./support/short-process.ts', import.meta.url));

/** Runs the script to its own end; it is never told to exit. */
const ends = (conditions: string[], mode: string): Promise<{ stdout: string; stderr: string }> =>
  run(process.execPath, [...conditions, SCRIPT, dataPath(), mode], { timeout: 20_000 });

describe('a process with an open store', () => {
  it('ends by itself when nothing is under way', async () => {
    const { stdout } = await ends(['--conditions=durable-source'], 'idle');
    expect(stdout).toBe('idle\n');
  });

  it('does not end before what is under way is stored', async () => {
    const { stdout } = await ends(['--conditions=durable-source'], 'pending');
    expect(stdout).toBe('pending\nstored\n');
  });

  it('has no warning printed', async () => {
    const { stderr } = await ends(['--conditions=durable-source'], 'idle');
    expect(stderr).toBe('');
  });

  it('runs the built package as well as its sources', async () => {
    const { stdout, stderr } = await ends([], 'pending');
    expect(stdout).toBe('pending\nstored\n');
    expect(stderr).toBe('');
  });
});

describe('a store that was closed', () => {
  it('refuses calls and does not open again', async () => {
    const path = dataPath();
    const store = await openStore(path);
    await store.close();
    const call = store.submit([submitRequest()]);
    await expect(call).rejects.toMatchObject({ code: 'store_unavailable' });
    const again = sqliteStore(path);
    await again.migrate();
    expect((await again.stats()).byStatus).toEqual({});
    await again.close();
  });
});

describe('a call with something that cannot be stored', () => {
  it('is refused alone', async () => {
    const store = await openStore(dataPath());
    const renewal = { now: 0, leaseMs: 1, leases: [{ id: 'a', lease: 1, note: () => {} }] };
    const [bad, good] = await Promise.allSettled([
      store.renew(renewal),
      store.submit([submitRequest()]),
    ]);
    expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'internal_error' } });
    expect(good).toEqual({ status: 'fulfilled', value: [{ outcome: 'created' }] });
  });
});

describe('the write-ahead log', () => {
  it('stays small however much is written', async () => {
    const path = dataPath();
    const store = await openStore(path);
    const input = JSON.stringify('x'.repeat(100_000));
    let largest = 0;
    for (let i = 0; i < 60; i += 1) {
      await store.submit(Array.from({ length: 10 }, () => submitRequest({ input })));
      largest = Math.max(largest, statSync(`${path}-wal`).size);
    }
    expect(statSync(path).size).toBeGreaterThan(40_000_000);
    expect(largest).toBeLessThan(24_000_000);
  });
});
