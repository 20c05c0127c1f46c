import type { OperationOptions } from '../../src/options.ts';
import type { Random } from './random.ts';

/** Everything that one seed decides before its world begins. */
export interface Plan {
  readonly hostCount: number;
  /** Hosts from this index on submit and observe but do not work. */
  readonly workerCount: number;
  /** Difference of each host's clock to the true time, in ms. */
  readonly skewsMs: readonly number[];
  /** Whose clock decides what is due. */
  readonly clock: 'caller' | 'store';
  /** Whether the store reports what others write; hints are late if so, and mostly lost if not. */
  readonly watches: boolean;
  readonly intentCount: number;
  readonly observerCount: number;
  readonly cancelCount: number;
  readonly crashCount: number;
  readonly freezeCount: number;
  readonly stopCount: number;
  readonly outageCount: number;
  /** Probability of a fault of one store call. */
  readonly faultRate: number;
  /** How long things happen and break, in ms; after that nothing breaks any more. */
  readonly activeMs: number;
  readonly engine: {
    readonly concurrency: number;
    readonly leaseMs: number;
    readonly cancelGraceMs: number;
    readonly storeTimeoutMs: number;
    readonly pollMs: number;
  };
  readonly operation: OperationOptions & {
    readonly retries: number;
    readonly timeoutMs: number;
    readonly deadlineMs: number | null;
    readonly maxLostLeases: number;
    readonly backoff: { readonly baseMs: number; readonly factor: number; readonly maxMs: number };
  };
}

/** Draws a plan: from calm worlds with one host to wild ones with four. */
export function drawPlan(random: Random): Plan {
  const hostCount = random.int(1, 4);
  const clock = hostCount > 1 && random.chance(0.3) ? 'store' : 'caller';
  const skew = (): number => (clock === 'store' ? random.int(-300_000, 300_000) : 0);
  const isWild = random.chance(0.7);
  const wild = (most: number): number => (isWild ? random.int(0, most) : 0);
  return {
    hostCount,
    workerCount: random.int(1, hostCount),
    skewsMs: Array.from({ length: hostCount }, skew),
    clock,
    watches: hostCount === 1 || random.chance(0.6),
    intentCount: random.int(1, 10),
    observerCount: random.int(0, 5),
    cancelCount: random.int(0, 3),
    crashCount: wild(3),
    freezeCount: wild(3),
    stopCount: wild(2),
    outageCount: wild(2),
    faultRate: isWild ? random.pick([0, 0.02, 0.1, 0.25]) : 0,
    activeMs: random.int(3_000, 30_000),
    engine: {
      concurrency: random.int(1, 4),
      leaseMs: random.int(1_000, 5_000),
      cancelGraceMs: random.pick([0, 500, 3_000]),
      storeTimeoutMs: random.int(300, 2_000),
      pollMs: random.int(500, 3_000),
    },
    operation: {
      retries: random.int(0, 4),
      timeoutMs: random.pick([500, 3_000, 20_000]),
      deadlineMs: random.pick([null, null, 300, 5_000, 40_000]),
      maxLostLeases: random.pick([0, 3, 50]),
      backoff: { baseMs: random.int(0, 1_500), factor: 2, maxMs: 4_000 },
    },
  };
}
