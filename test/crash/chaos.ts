import { setTimeout as delay } from 'node:timers/promises';
import { Cluster } from './cluster.ts';
import type { CrashStore } from './crash-store.ts';
import { Ledger, type Verdict } from './ledger.ts';
import { observe, storedEvents, submit } from './traffic.ts';

/** How much chaos, for how long. */
export interface ChaosOptions {
  readonly store: CrashStore;
  /** Whether the store's server is killed too, every 5 to 10 s. Default false. */
  readonly restartsStore?: boolean;
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
  readonly storeRestarts: number;
  readonly slowestEndMs: number;
}

/** How long all intents may take to end after the last kill, beyond the lease; then the loop fails. */
const SETTLE_MS = 60_000;

/**
 * Kills one server process each second and now and then pauses one for longer than its leases, under
 * submits and observers, and compares a ledger of its own with what is stored in the end.
 */
export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const ledger = new Ledger();
  await using cluster = new Cluster({
    STORE: options.store.url,
    LEASE_MS: String(options.leaseMs),
    SABOTAGE: options.sabotage ?? '',
  });
  await cluster.start(options.processes);
  const endAt = performance.now() + options.seconds * 1_000;
  const giveUpAt = endAt + options.leaseMs + SETTLE_MS;
  const until = (): boolean => performance.now() < endAt;

  const observers: Promise<void>[] = [];
  const traffic = async (): Promise<void> => {
    const submits: Promise<unknown>[] = [];
    while (until()) {
      // Long enough for a stale attempt to end while the one that replaced it is still under way.
      const ms = 50 + Math.random() * 2_450;
      const submitted = submit(cluster, ledger, ms, giveUpAt).then((id) => {
        observers.push(observe(cluster, ledger, id, giveUpAt));
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
  let storeRestarts = 0;
  const restarts = async (): Promise<void> => {
    const { restart } = options.store;
    if (options.restartsStore !== true || restart === null) return;
    const pause = (): Promise<unknown> => delay(5_000 + Math.random() * 5_000);
    for (await pause(); until(); await pause()) {
      await restart();
      storeRestarts += 1;
    }
  };
  await Promise.all([traffic(), kills(), pauses(), pauses(), restarts()]);

  const settledFrom = performance.now();
  await Promise.all(observers);
  const slowestEndMs = Math.round(performance.now() - settledFrom);
  const stored = new Map();
  for (const id of ledger.intentIds) {
    const events = await storedEvents(cluster, id, giveUpAt);
    if (events !== undefined) stored.set(id, events);
  }
  const { killCount, pauseCount } = cluster;
  return {
    ...ledger.judge(stored),
    kills: killCount,
    pauses: pauseCount,
    storeRestarts,
    slowestEndMs,
  };
}
