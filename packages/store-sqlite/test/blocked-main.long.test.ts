import { describe, expect, it } from 'vitest';
import { ChildStore } from './support/child-store.ts';
import { dataPath } from './support/data-folder.ts';
import { claimRequest, submitRequest } from './support/intents.ts';
import { openStore } from './support/open-store.ts';

const LEASE_MS = 1_500;

describe('a process whose event loop is blocked', () => {
  it('keeps its leases for longer than they last, but not for ever', async () => {
    const path = dataPath();
    const store = await openStore(path);
    const child = await ChildStore.start(path);
    await store.submit([submitRequest()]);
    await child.order({ do: 'claim', request: claimRequest('blocked', LEASE_MS) });
    const claimedAt = performance.now();
    const blocked = child.order({ do: 'block', ms: 6 * LEASE_MS });
    await child.blocking();
    let isBlocked = true;
    void blocked.finally(() => (isBlocked = false));
    let takenAt = 0;
    await expect
      .poll(
        async () => {
          const { claimed } = await store.claim(claimRequest('here'));
          takenAt = performance.now();
          return claimed.length;
        },
        { interval: 10, timeout: 20_000 },
      )
      .toBe(1);
    const heldMs = takenAt - claimedAt;
    expect(heldMs).toBeGreaterThan(1.3 * LEASE_MS);
    expect(isBlocked).toBe(true);
    await blocked;
  });

  it('has lost nothing when it comes back within its lease', async () => {
    const path = dataPath();
    const store = await openStore(path);
    const child = await ChildStore.start(path);
    const request = submitRequest();
    await store.submit([request]);
    await child.order({ do: 'claim', request: claimRequest('blocked', LEASE_MS) });
    const blocked = child.order({ do: 'block', ms: 1.2 * LEASE_MS });
    await child.blocking();
    let isBlocked = true;
    void blocked.finally(() => (isBlocked = false));
    await expect
      .poll(
        async () => {
          expect((await store.claim(claimRequest('here'))).claimed).toEqual([]);
          return isBlocked;
        },
        { interval: 10, timeout: 20_000 },
      )
      .toBe(false);
    const leases = [{ id: request.record.id, lease: 1 }];
    const renewal = { now: Date.now(), leaseMs: LEASE_MS, leases };
    const renewed = await child.order({ do: 'renew', request: renewal });
    expect(renewed).toEqual([{ held: true, seq: 2, cancelRequested: false }]);
  });
});
