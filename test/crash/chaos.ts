import { setTimeout as delay } from 'node:timers/promises';
import { Cluster } from './cluster.ts';
import { Ledger, type Verdict } from './ledger.ts';
import { observe, storedEvents, submit } from './traffic.ts';

/** How much chaos, for how long. */
export interface ChaosOptions {
  readonly store: string;
  readonly seconds: number;
  readonly processes: number;
  readonly submitsPerSecond: number;
  readonly leaseMs: number;
  /** `fence` removes the fence; the verdict must then show violations. */
  readonly sabotage?: 'fence';
}

/** A verdict with what was done to arrive at it. */
export interface ChaosReport extends Verdict {
  readonly kills: number;
  readonly pauses: number;
  readonly slowestEndMs: number;
}

/** How long all intents may take to end after the last kill, beyond the lease. */
const SETTLE_MS = 60_000;

/**
 * Kills one server process each second and now and then pauses one for longer than its leases, under
 * submits and observers, and compares a ledger of its own with what is stored in the end.
 */
export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const ledger = new Ledger();
  await using cluster = new Cluster({
    STORE: options.store,
    LEASE_MS: String(options.leaseMs),
    SABOTAGE: options.sabotage ?? '',
  });
  await cluster.start(options.processes);
  const endAt = performance.now() + options.seconds * 1_000;
  const until = (): boolean => performance.now() < endAt;

  const observers: Promise<void>[] = [];
  const traffic = async (): Promise<void> => {
    const submits: Promise<unknown>[] = [];
    while (until()) {
      // Long enough for a stale attempt to end while the one that replaced it is still under way.
      const ms = 50 + Math.random() * 2_450;
      const submitted = submit(cluster, ledger, ms).then((id) => {
        observers.push(observe(cluster, ledger, id));
      });
      submits.push(submitted);
      await delay(1_000 / options.submitsPerSecond);
    }
    await Promise.all(submits);
  };
  const kills = async (): Promise<void> => {
    for (await delay(1_000); until(); await delay(1_000)) await cluster.killOne();
  };
  const pauses = async (): Promise<void> => {
    for (await delay(500); until(); await delay(500)) {
      await cluster.pauseOne(options.leaseMs * 1.6, delay);
    }
  };
  await Promise.all([traffic(), kills(), pauses(), pauses()]);

  const settledFrom = performance.now();
  const giveUpAt = settledFrom + SETTLE_MS;
  await Promise.all(observers);
  const slowestEndMs = Math.round(performance.now() - settledFrom);
  const stored = new Map();
  for (const id of ledger.intentIds) {
    const events = await storedEvents(cluster, id, giveUpAt);
    if (events !== undefined) stored.set(id, events);
  }
  const { killCount, pauseCount } = cluster;
  return { ...ledger.judge(stored), kills: killCount, pauses: pauseCount, slowestEndMs };
}
