import { expect, it } from 'vitest';
import { IdSource } from './new-id.ts';
import { StoreClock } from './store-clock.ts';

it('gives whole milliseconds, also when the store was half of an odd time away', () => {
  const local = { now: () => 1_000_003, setTimeout: () => ({ cancel: () => {} }) };
  const clock = new StoreClock(local);
  clock.observe(1_005_000, 1_000_000);
  expect(clock.now()).toBe(1_005_002);
  expect(new IdSource().next(clock.now())).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-/,
  );
});
