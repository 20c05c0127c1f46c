import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Store } from '@durable-api/core';
import { storeFromUrl } from '@durable-api/example-reports';
import { submittedSchema } from '@durable-api/protocol';
import { Cluster } from './cluster.ts';
import type { CrashStore } from './crash-store.ts';

/** What the loop has seen. */
export interface OneAtATime {
  readonly completed: number;
  readonly submitted: number;
  readonly kills: number;
  /** How often the store was looked at. */
  readonly looks: number;
  readonly violations: readonly string[];
}

interface Line {
  readonly what: 'begin' | 'end';
  readonly tenant: string;
  readonly pid: number;
  readonly intentId: string;
  readonly at: number;
}

const TENANTS = ['a', 'b', 'c'];
/** How long all intents may take to end after the last kill. */
const SETTLE_MS = 90_000;

/**
 * Kills one of four processes each second while all of them work on intents of three tenants, one at a time
 * for each. Looks at the store all the while for two live leases of a tenant, and afterwards at what the
 * handlers have noted.
 */
export async function oneAtATime(
  crashStore: CrashStore,
  { seconds, perKey }: { readonly seconds: number; readonly perKey: number | null },
): Promise<OneAtATime> {
  const folder = mkdtempSync(join(tmpdir(), 'durable-keyed-'));
  const journal = join(folder, 'journal');
  await using cluster = new Cluster(
    {
      STORE: crashStore.url,
      JOURNAL: journal,
      PER_KEY: perKey === null ? '' : String(perKey),
      LEASE_MS: '1000',
    },
    new URL('./keyed-server.ts', import.meta.url),
  );
  const store = storeFromUrl(crashStore.url);
  const violations: string[] = [];
  let looks = 0;
  try {
    await cluster.start(4);
    await store.migrate();
    const ids = await submitAll(cluster, seconds * 9);
    const endAt = performance.now() + seconds * 1_000;
    const giveUpAt = endAt + SETTLE_MS;
    const kills = async (): Promise<void> => {
      for (await delay(1_000); performance.now() < endAt; await delay(1_000))
        await cluster.killOne();
    };
    const watch = async (): Promise<number> => {
      for (;;) {
        looks += 1;
        const { left, twice } = await look(store);
        violations.push(...twice);
        if (left === 0 || performance.now() > giveUpAt) return ids.length - left;
        await delay(10);
      }
    };
    const [completed] = await Promise.all([watch(), kills()]);
    violations.push(...overlaps(readFileSync(journal, 'utf8'), cluster.deaths));
    return { completed, submitted: ids.length, kills: cluster.killCount, looks, violations };
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Submits through all processes, as many of each tenant. */
async function submitAll(cluster: Cluster, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const response = await fetch(`${cluster.randomOrigin()}/work`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tenant: TENANTS[i % TENANTS.length], ms: 50 + Math.random() * 250 }),
    });
    ids.push(submittedSchema.parse(await response.json()).intent_id);
  }
  return ids;
}

/** How many intents have not ended, and which tenants have two leases that live. */
async function look(store: Store): Promise<{ left: number; twice: string[] }> {
  const statuses = ['SUBMITTED', 'DELIVERED', 'IN_PROGRESS', 'WAITING'] as const;
  const records = await store.list({ statuses, limit: 10_000 });
  const { now } = await store.claim({
    now: Date.now(),
    holder: 'onlooker',
    leaseMs: 1,
    operations: [],
    limit: 1,
  });
  const live = records.filter(({ holder, dueAt }) => holder !== null && (dueAt ?? 0) > now);
  const twice = TENANTS.filter((tenant) => live.filter(({ key }) => key === tenant).length > 1);
  return { left: records.length, twice: twice.map((tenant) => `${tenant} has two live leases`) };
}

/** Handlers of one tenant that ran at once. What a process was at when it died has ended with it. */
function overlaps(journal: string, deaths: ReadonlyMap<number, number>): string[] {
  const lines = journal
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Line => JSON.parse(line));
  const found: string[] = [];
  const running = new Map<string, Line>();
  for (const line of lines.toSorted((a, b) => a.at - b.at)) {
    const before = running.get(line.tenant);
    if (line.what === 'end') {
      if (before?.pid === line.pid && before.intentId === line.intentId)
        running.delete(line.tenant);
      continue;
    }
    const diedAt = before === undefined ? 0 : (deaths.get(before.pid) ?? Infinity);
    if (before !== undefined && diedAt > line.at)
      found.push(`${line.tenant} ran ${before.intentId} and ${line.intentId} at once`);
    running.set(line.tenant, line);
  }
  return found;
}
