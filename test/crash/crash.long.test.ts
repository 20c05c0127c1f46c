import { describe, expect, it } from 'vitest';
import { chaos, type ChaosOptions, type ChaosReport } from './chaos.ts';
import { openCrashStore, type CrashStoreKind } from './crash-store.ts';
import { oneAtATime } from './one-at-a-time.ts';

const usual = { processes: 4, submitsPerSecond: 40, leaseMs: 1_000, seconds: 12 };

async function chaosOn(
  kind: CrashStoreKind,
  options: Partial<ChaosOptions> = {},
): Promise<ChaosReport> {
  await using store = await openCrashStore(kind);
  if (store === null) throw new Error(`There is no ${kind} server on this machine.`);
  // Awaited here: the store is removed when this function is left.
  return await chaos({ ...usual, store, ...options });
}

describe.each(['sqlite', 'postgres', 'redis'] as const)(
  'four processes on one store in %s, killed and paused at random',
  { timeout: 180_000 },
  (kind) => {
    it('lose nothing, end everything once, and leave no gap', async () => {
      const report = await chaosOn(kind);
      expect(report.violations).toEqual([]);
      expect(report.completed).toBe(report.acknowledged);
      expect(report.acknowledged).toBeGreaterThan(200);
      expect(report.kills).toBeGreaterThan(5);
      expect(report.pauses).toBeGreaterThan(2);
    });

    it('never work on two intents of one key at once, where its limit is one', async () => {
      await using store = await openCrashStore(kind);
      if (store === null) throw new Error(`There is no ${kind} server on this machine.`);
      const seen = await oneAtATime(store, { seconds: 10, perKey: 1 });
      expect(seen.violations).toEqual([]);
      expect(seen.completed).toBe(seen.submitted);
      expect(seen.kills).toBeGreaterThan(4);
      expect(seen.looks).toBeGreaterThan(50);
    });

    it('are caught when there is no limit', async () => {
      await using store = await openCrashStore(kind);
      if (store === null) throw new Error(`There is no ${kind} server on this machine.`);
      const { violations } = await oneAtATime(store, { seconds: 2, perKey: null });
      expect(violations.join('\n')).toContain('has two live leases');
      expect(violations.join('\n')).toContain('at once');
    });

    it('are caught when the fence is removed', async () => {
      const report = await chaosOn(kind, { sabotage: 'fence', seconds: 8 });
      expect(report.violations.join('\n')).toContain('by the stale attempt');
    });

    if (kind === 'sqlite') return;
    it('do so while the server of the store is killed too', async () => {
      const report = await chaosOn(kind, { restartsStore: true, seconds: 20 });
      expect(report.violations).toEqual([]);
      expect(report.completed).toBe(report.acknowledged);
      expect(report.storeRestarts).toBeGreaterThan(1);
    });
  },
);
