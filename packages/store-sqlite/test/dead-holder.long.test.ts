import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ClaimResult, Store } from '@durable-api/core';
import { describe, expect, it } from 'vitest';
import { sqliteStore } from '@durable-api/store-sqlite';
import { ChildStore } from './support/child-store.ts';
import { dataPath } from './support/data-folder.ts';
import { claimRequest, submitRequest } from './support/intents.ts';
import { openStore } from './support/open-store.ts';

const liveFiles = (path: string): string[] =>
  readdirSync(dirname(path)).filter((name) => name.includes('-live-'));

/** Submits one intent and has a process of its own claim it for ten minutes. */
async function leasedElsewhere(store: Store, path: string, holder: string): Promise<ChildStore> {
  const child = await ChildStore.start(path);
  await store.submit([submitRequest()]);
  const result = await child.order({ do: 'claim', request: claimRequest(holder) });
  expect(result).toMatchObject({ claimed: [{ record: { holder } }] });
  return child;
}

/** Claims again and again until something was due. */
async function claimWhenDue(store: Store): Promise<ClaimResult> {
  let result = await store.claim(claimRequest('here'));
  await expect
    .poll(
      async () => {
        if (result.claimed.length === 0) result = await store.claim(claimRequest('here'));
        return result.claimed.length;
      },
      { interval: 10, timeout: 10_000 },
    )
    .toBeGreaterThan(0);
  return result;
}

describe('the leases of a process that was killed', () => {
  it('are free within two seconds for another process, which hears of it', async () => {
    const path = dataPath();
    const store = await openStore(path);
    const child = await leasedElsewhere(store, path, 'there');
    const hints: (readonly string[] | null)[] = [];
    store.watch(({ ids }) => hints.push(ids));
    expect((await store.claim(claimRequest('here'))).claimed).toEqual([]);
    await child.kill();
    const killedAt = performance.now();
    const { claimed } = await claimWhenDue(store);
    // Its lease would last for minutes; the rest is for loaded machines.
    expect(performance.now() - killedAt).toBeLessThan(2_000 + 8_000);
    expect(claimed[0]?.record).toMatchObject({ holder: 'here', lease: 2, lostLeases: 1 });
    await expect.poll(() => hints.flat()).toContain(claimed[0]?.record.id);
  });

  it('are free at once when the file is opened again', async () => {
    const path = dataPath();
    const first = await openStore(path);
    const child = await leasedElsewhere(first, path, 'there');
    await first.close();
    await child.kill();
    const store = await openStore(path);
    const { claimed } = await store.claim(claimRequest('here'));
    expect(claimed[0]?.record).toMatchObject({ lease: 2, lostLeases: 1 });
  });

  it('are free when they were taken by an eager submit', async () => {
    const path = dataPath();
    const store = await openStore(path);
    const child = await ChildStore.start(path);
    const eager = { holder: 'there', until: Date.now() + 600_000 };
    await child.order({ do: 'submit', batch: [submitRequest({ eager })] });
    await child.kill();
    const { claimed } = await claimWhenDue(store);
    expect(claimed[0]?.record).toMatchObject({ holder: 'here', lease: 2, lostLeases: 1 });
  });

  it('are told from those of the living, also of one that is merely stopped', async () => {
    const path = dataPath();
    const store = await openStore(path);
    const stopped = await leasedElsewhere(store, path, 'stopped');
    await leasedElsewhere(store, path, 'living');
    const killed = await leasedElsewhere(store, path, 'killed');
    stopped.signal('SIGSTOP');
    await killed.kill();
    const { claimed } = await claimWhenDue(store);
    expect(claimed).toHaveLength(1);
    const again = await store.claim(claimRequest('here'));
    expect(again.claimed).toEqual([]);
    const holders = new Set((await store.list({ limit: 10 })).map(({ holder }) => holder));
    expect(holders).toEqual(new Set(['here', 'living', 'stopped']));
  });
});

describe('the files that show who is alive', () => {
  it('are one per store with a holder, and go when it is closed', async () => {
    const path = dataPath();
    const store = sqliteStore(path);
    await store.migrate();
    await store.submit([submitRequest()]);
    expect(liveFiles(path)).toEqual([]);
    await store.claim(claimRequest('one'));
    await store.claim(claimRequest('two'));
    expect(liveFiles(path)).toHaveLength(1);
    await store.close();
    expect(readdirSync(dirname(path))).toEqual(['operations.db']);
  });

  it('go when their process was killed and another one has noticed', async () => {
    const path = dataPath();
    const first = await openStore(path);
    const child = await leasedElsewhere(first, path, 'there');
    await first.close();
    await child.kill();
    expect(liveFiles(path)).toHaveLength(1);
    await openStore(path);
    expect(liveFiles(path)).toEqual([]);
  });
});

describe('a store that is closed while it holds leases', () => {
  it('gives them up at once', async () => {
    const path = dataPath();
    const store = await openStore(path);
    const other = await openStore(path);
    await store.submit([submitRequest()]);
    await other.claim(claimRequest('other'));
    expect((await store.claim(claimRequest('here'))).claimed).toEqual([]);
    await other.close();
    expect((await store.claim(claimRequest('here'))).claimed).toHaveLength(1);
  });
});
