import { simulate, type Outcome, type SimulateOptions } from './simulate.ts';

/** The sum of many worlds. */
export interface Tally {
  seedCount: number;
  stepCount: number;
  intentCount: number;
  callCount: number;
  virtualHours: number;
  /** The first world in which something was broken. */
  broken: Outcome | null;
}

/** Lets the worlds of `count` seeds live, until one of them breaks a promise. */
export async function runSeeds(
  first: number,
  count: number,
  options: SimulateOptions = {},
): Promise<Tally> {
  const tally: Tally = {
    seedCount: 0,
    stepCount: 0,
    intentCount: 0,
    callCount: 0,
    virtualHours: 0,
    broken: null,
  };
  for (let seed = first; seed < first + count; seed += 1) {
    const outcome = await simulate(seed, options);
    tally.seedCount += 1;
    tally.stepCount += outcome.steps;
    tally.intentCount += outcome.intentCount;
    tally.callCount += outcome.callCount;
    tally.virtualHours += outcome.virtualMs / 3_600_000;
    if (outcome.violation === null) continue;
    tally.broken = outcome;
    break;
  }
  return tally;
}

/** What to print of a broken world, so that it can be lived through again. */
export function describeBroken({ seed, violation, trace }: Outcome): string {
  const what = violation instanceof Error ? violation.message : String(violation);
  return [
    `Seed ${seed} broke a promise: ${what}`,
    `Again: SIMULATION_FIRST=${seed} SIMULATION_SEEDS=1 vitest run packages/core/test/simulation`,
    ...trace.slice(-60),
  ].join('\n');
}
