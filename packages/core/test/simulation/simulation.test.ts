import { describe, expect, it } from 'vitest';
import { describeBroken, runSeeds } from './run-seeds.ts';
import { simulate } from './simulate.ts';

/** `SIMULATION_SEEDS=100000` for more, `SIMULATION_FIRST` to begin elsewhere or at a broken one. */
const SEEDS = Number(process.env['SIMULATION_SEEDS'] ?? 500);
const FIRST = Number(process.env['SIMULATION_FIRST'] ?? 1);

describe('a world of failing hosts, links and handlers', () => {
  it(
    `keeps every promise, in ${SEEDS} worlds`,
    async () => {
      const tally = await runSeeds(FIRST, SEEDS);
      if (tally.broken !== null) throw new Error(describeBroken(tally.broken));
      expect(tally.seedCount).toBe(SEEDS);
      const { stepCount, intentCount, callCount, virtualHours } = tally;
      console.log(
        `${SEEDS} worlds: ${intentCount} intents, ${callCount} attempts, ${stepCount} steps, ` +
          `${virtualHours.toFixed(1)} virtual hours`,
      );
    },
    60_000 + SEEDS * 100,
  );

  it('is the same world again for the same seed', async () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const [once, again] = [await simulate(seed), await simulate(seed)];
      expect(again.trace).toEqual(once.trace);
      expect(again.steps).toBe(once.steps);
    }
  });
});
