import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { chaos } from './chaos.ts';

const folder = mkdtempSync(join(tmpdir(), 'durable-crash-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const usual = { processes: 4, submitsPerSecond: 40, leaseMs: 1_000 };

describe('four processes on one SQLite file, killed and paused at random', () => {
  it('lose nothing, end everything once, and leave no gap', { timeout: 120_000 }, async () => {
    const store = `sqlite:${join(folder, 'honest.db')}`;
    const report = await chaos({ ...usual, store, seconds: 12 });
    expect(report.violations).toEqual([]);
    expect(report.completed).toBe(report.acknowledged);
    expect(report.acknowledged).toBeGreaterThan(200);
    expect(report.kills).toBeGreaterThan(5);
    expect(report.pauses).toBeGreaterThan(2);
  });

  it('are caught when the fence is removed', { timeout: 120_000 }, async () => {
    const store = `sqlite:${join(folder, 'sabotaged.db')}`;
    const report = await chaos({ ...usual, store, seconds: 12, sabotage: 'fence' });
    expect(report.violations.join('\n')).toContain('by the stale attempt');
  });
});
