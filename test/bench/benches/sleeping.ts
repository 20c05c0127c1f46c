import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { round, type Bench } from '../bench.ts';
import { runSleepers } from '../sleepers/run-sleepers.ts';
import { withPostgres } from '../store-servers.ts';

const COUNT = 100_000;

/** What a process pays for sleeping intents that there are, against one on an empty store. */
async function cost(env: Readonly<Record<string, string>>): Promise<Record<string, number>> {
  const empty = await runSleepers('idle', 0, env);
  const { heapBytesEach = NaN } = await runSleepers('fill', COUNT, env);
  const full = await runSleepers('idle', 0, env);
  const each = (name: string): number => ((full[name] ?? NaN) - (empty[name] ?? NaN)) / COUNT;
  return {
    heapBytesEachWhereTheyBegan: round(heapBytesEach),
    heapBytesEach: round(each('heap')),
    rssBytesEach: round(each('rss')),
    cpuMsPerSecond: round(full['cpuMsPerSecond'] ?? NaN, 3),
  };
}

/** 100,000 sleeping intents on SQLite and on Postgres: the memory and the CPU of a process. */
export const bench: Bench = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'durable-bench-'));
  try {
    const sqlite = await cost({ STORE: 'sqlite', STORE_FILE: join(folder, 'operations.db') });
    const postgres = await withPostgres(cost);
    const named = (name: string, figures: object): object =>
      Object.fromEntries(Object.entries(figures).map(([key, value]) => [`${name}.${key}`, value]));
    return {
      sleeping: COUNT,
      ...named('sqlite', sqlite),
      ...named('postgres', postgres),
      target: '< 1 KiB each, no CPU',
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
