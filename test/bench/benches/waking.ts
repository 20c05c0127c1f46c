import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { round, type Bench } from '../bench.ts';
import { runSleepers } from '../sleepers/run-sleepers.ts';
import { withPostgres } from '../store-servers.ts';

const COUNT = 10_000;

async function lastStartMs(env: Readonly<Record<string, string>>): Promise<number> {
  const { lastStartMs: last = NaN, asleepMsBefore = NaN } = await runSleepers('wake', COUNT, env);
  if (!(asleepMsBefore > 0)) throw new Error('Some were still awake when the others woke.');
  return round(last);
}

/** 10,000 intents that wake in the same second, on SQLite and on Postgres: when the last one has started. */
export const bench: Bench = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'durable-bench-'));
  try {
    return {
      waking: COUNT,
      sqliteLastStartMs: await lastStartMs({
        STORE: 'sqlite',
        STORE_FILE: join(folder, 'operations.db'),
      }),
      postgresLastStartMs: await withPostgres(lastStartMs),
      target: 'all start within 5,000 ms',
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
