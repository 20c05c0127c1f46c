import { existsSync } from 'node:fs';
import { openStore } from '../open-store.ts';
import { finding, type Finding } from './finding.ts';
import { checkSqlite } from './check-sqlite.ts';

/** What is wrong with a store. Changes nothing but what a server would at its start. */
export async function checkStore(url: string): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  if (url.startsWith('sqlite:')) {
    const path = url.slice('sqlite:'.length);
    if (!existsSync(path)) {
      return [finding('store', 'warn', `There is no file ${path} yet; a server will create it.`)];
    }
    found.push(...checkSqlite(path));
    if (found.some(({ level }) => level === 'fail')) return found;
  }
  const store = await openStore(url);
  try {
    // The store itself refuses what would lose data: eviction, AOF off, network file systems, …
    await store.migrate();
    const { byStatus } = await store.stats();
    const { durability } = store.capabilities;
    const counts = Object.entries(byStatus).map(([status, count]) => `${count} ${status}`);
    found.push(
      finding('store', 'ok', `It opens. ${counts.join(', ') || 'No intents'}.`),
      durability === 'power-loss'
        ? finding('durability', 'ok', 'Acknowledged writes survive power loss.')
        : finding('durability', 'warn', `Acknowledged writes survive: ${durability}.`),
    );
  } catch (error) {
    found.push(finding('store', 'fail', error instanceof Error ? error.message : String(error)));
  } finally {
    await store.close();
  }
  return found;
}
