import { afterAll, describe, expect, it } from 'vitest';
import { openCrashStore, type CrashStore } from '../crash/crash-store.ts';
import { sweep } from './sweep.ts';

const opened: CrashStore[] = [];
afterAll(async () => {
  for (const store of opened.splice(0)) await store[Symbol.asyncDispose]();
});

async function postgresUrl(): Promise<string> {
  const store = await openCrashStore('postgres');
  if (store === null) throw new Error('There is no Postgres server on this machine.');
  opened.push(store);
  return store.url;
}

/** All points of all stores are for who has the time; in CI Postgres is killed at every second one. */
const POSTGRES_STRIDE = process.env['CI'] === 'true' ? 2 : 1;

const onSqlite = { storeOf: (path: string) => `sqlite:${path}.db` };

describe(
  'a handler of ten steps with a sleep, a signal and two children',
  { timeout: 1_800_000 },
  () => {
    it('killed at every point on SQLite has each step recorded once, and the right result', async () => {
      const report = await sweep(onSqlite);
      expect(report.violations).toEqual([]);
      expect(report.points).toBeGreaterThan(120);
      // A few points come or go with the timing.
      expect(report.kills).toBeGreaterThan(report.points * 0.9);
      // Those that died between the effect and the memory of it were tried again, under the same key.
      expect(report.repeatedEffects).toBeGreaterThan(0);
    });

    it('killed at every point does so on Postgres', async () => {
      const url = await postgresUrl();
      const report = await sweep({ storeOf: () => url, stride: POSTGRES_STRIDE });
      expect(report.violations).toEqual([]);
      expect(report.kills).toBeGreaterThan((report.points * 0.9) / POSTGRES_STRIDE);
    });

    it('is caught when the store forgets its steps', async () => {
      const report = await sweep({ ...onSqlite, sabotage: 'steps', stride: 1_000 });
      expect(report.violations.join('\n')).toMatch(/step s1 is recorded [^1] times/);
    });
  },
);
