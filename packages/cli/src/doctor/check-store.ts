import { existsSync } from 'node:fs';
import { pendingMigrations } from '@durable-api/store-sqlite';
import { installedStore } from '../installed-store.ts';
import { openStore, sqlitePath } from '../open-store.ts';
import { checkSqlite } from './check-sqlite.ts';
import { checkWakeUps, type OpenStore } from './check-wake-ups.ts';
import { finding, type Finding } from './finding.ts';

/** What is wrong with a store. Changes nothing, but that an empty Redis is laid out as a server would. */
export async function checkStore(url: string): Promise<readonly Finding[]> {
  const path = sqlitePath(url);
  if (path === null) return checkInstalled(url);
  if (!existsSync(path)) {
    return [finding('store', 'warn', `There is no file ${path} yet; a server will create it.`)];
  }
  const found = checkSqlite(path);
  if (found.some(({ level }) => level === 'fail')) return found;
  return [
    ...found,
    ...(await checkSchema(
      async () => pendingMigrations(path),
      () => checkOpen(url, () => Promise.resolve([])),
    )),
  ];
}

async function checkInstalled(url: string): Promise<readonly Finding[]> {
  const installed = await installedStore(url);
  const more = (open: OpenStore): Promise<readonly Finding[]> =>
    installed.kind === 'postgres' ? checkWakeUps(open) : Promise.resolve([]);
  return checkSchema(
    () => installed.pendingMigrations(),
    () => checkOpen(url, more),
  );
}

/** Opening a store migrates it: that is done only where nothing is left to do. */
async function checkSchema(
  pending: () => Promise<readonly number[] | null>,
  next: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  let steps: readonly number[] | null;
  try {
    steps = await pending();
  } catch (error) {
    return [failed(error)];
  }
  if (steps === null) return next();
  if (steps.length === 0) return [finding('migrations', 'ok', 'All are done.'), ...(await next())];
  const advice = 'Run durable migrate, or start a server of this version.';
  return [finding('migrations', 'warn', `Not done yet: ${steps.join(', ')}. ${advice}`)];
}

async function checkOpen(
  url: string,
  more: (open: OpenStore) => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  const warning = Promise.withResolvers<string>();
  const ignore = (): void => {};
  const warn = (_: object, message: string): void => warning.resolve(message);
  const store = await openStore(url, { debug: ignore, info: ignore, warn, error: warn });
  try {
    // The store itself refuses what would lose data: eviction, AOF off, network file systems, …
    await store.migrate();
    const { byStatus } = await store.stats();
    const { durability } = store.capabilities;
    const counts = Object.entries(byStatus).map(([status, count]) => `${count} ${status}`);
    return [
      finding('store', 'ok', `It opens. ${counts.join(', ') || 'No intents'}.`),
      durability === 'power-loss'
        ? finding('durability', 'ok', 'Acknowledged writes survive power loss.')
        : finding('durability', 'warn', `Acknowledged writes survive: ${durability}.`),
      ...(await more({ store, warning: warning.promise })),
    ];
  } catch (error) {
    return [failed(error)];
  } finally {
    await store.close();
  }
}

function failed(error: unknown): Finding {
  return finding('store', 'fail', error instanceof Error ? error.message : String(error));
}
