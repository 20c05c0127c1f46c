import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { Dispatcher } from '../../src/engine/dispatcher.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

interface Parts {
  readonly room?: () => number;
  readonly pollMs?: number | null;
  readonly clock?: Clock;
}

/** A dispatcher whose claims find what the test puts there. */
function open(world: VirtualClock, parts: Parts = {}) {
  const claims: { readonly at: number; readonly limit: number }[] = [];
  const found: { count: number; nextDueAt: number | null; error?: Error; takesMs?: number }[] = [];
  const errors: unknown[] = [];
  const { room = () => 5, pollMs = null, clock = world } = parts;
  const dispatcher = new Dispatcher({
    clock,
    room,
    pollMs,
    claim: async (limit) => {
      claims.push({ at: world.now(), limit });
      const next = found.shift() ?? { count: 0, nextDueAt: null };
      if (next.takesMs !== undefined) {
        await new Promise<void>((resolve) => world.setTimeout(resolve, next.takesMs ?? 0));
      }
      if (next.error !== undefined) throw next.error;
      return next;
    },
    onError: (error) => errors.push(error),
  });
  return { dispatcher, claims, found, errors };
}

describe('a dispatcher', () => {
  it('claims once for many wake-ups of one moment, and again for one that comes meanwhile', async () => {
    const clock = new VirtualClock();
    const { dispatcher, claims, found } = open(clock);
    found.push({ count: 0, nextDueAt: null, takesMs: 100 });
    for (let i = 0; i < 10; i += 1) dispatcher.wake();
    await clock.advance(50);
    expect(claims.length).toBe(1);
    dispatcher.wake();
    dispatcher.wake();
    await clock.advance(1_000);
    expect(claims.length).toBe(2);
    expect(clock.pending).toBe(0);
  });

  it('claims at the instant that is due next, the earliest of all it knows', async () => {
    const clock = new VirtualClock();
    const begun = clock.now();
    const { dispatcher, claims, found } = open(clock);
    found.push({ count: 1, nextDueAt: begun + 5_000 });
    dispatcher.wake();
    await clock.advance(0);
    dispatcher.noteDue(begun + 9_000);
    dispatcher.noteDue(begun + 2_000);
    dispatcher.noteDue(begun + 3_000);
    await clock.advance(10_000);
    expect(claims.map(({ at }) => at - begun)).toEqual([0, 2_000]);
  });

  it('claims on while it finds as many as it asks for, and then waits for room', async () => {
    const clock = new VirtualClock();
    let room = 300;
    const { dispatcher, claims, found } = open(clock, { room: () => room });
    found.push({ count: 256, nextDueAt: null }, { count: 44, nextDueAt: null });
    dispatcher.wake();
    room = 300;
    await clock.advance(0);
    expect(claims.map(({ limit }) => limit).slice(0, 2)).toEqual([256, 256]);
    room = 0;
    const before = claims.length;
    dispatcher.wake();
    await clock.advance(60_000);
    expect(claims.length).toBe(before);
    room = 1;
    dispatcher.roomFreed();
    await clock.advance(0);
    expect(claims.at(-1)).toMatchObject({ limit: 1 });
    dispatcher.roomFreed();
    await clock.advance(60_000);
    expect(claims.length).toBe(before + 1);
  });

  it('tries again soon after a claim that failed, and says so', async () => {
    const clock = new VirtualClock();
    const begun = clock.now();
    const { dispatcher, claims, found, errors } = open(clock);
    const error = new Error('Away.');
    found.push({ count: 0, nextDueAt: null, error }, { count: 0, nextDueAt: null, error });
    dispatcher.wake();
    await clock.advance(60_000);
    expect(errors).toEqual([error, error]);
    expect(claims.map(({ at }) => at - begun)).toEqual([0, 500, 1_000]);
  });

  it('makes at most one claim in 25 ms of hints, and the last hint is never lost', async () => {
    const clock = new VirtualClock();
    const { dispatcher, claims } = open(clock);
    for (let i = 0; i < 200; i += 1) {
      dispatcher.hint();
      await clock.advance(1);
    }
    const before = claims.length;
    expect(before).toBeLessThanOrEqual(9);
    dispatcher.hint();
    const hintedAt = clock.now();
    await clock.advance(100);
    expect(claims.at(-1)?.at).toBeGreaterThanOrEqual(hintedAt);
  });

  it('claims no more once it is stopped, and stops only after a claim under way', async () => {
    const clock = new VirtualClock();
    const { dispatcher, claims, found } = open(clock, { pollMs: 1_000 });
    found.push({ count: 5, nextDueAt: null, takesMs: 300 });
    dispatcher.wake();
    await clock.advance(1);
    let isStopped = false;
    const stopping = dispatcher.stop().then(() => (isStopped = true));
    await clock.advance(298);
    expect(isStopped).toBe(false);
    await clock.advance(1);
    await stopping;
    dispatcher.wake();
    dispatcher.hint();
    dispatcher.noteDue(clock.now());
    dispatcher.roomFreed();
    await clock.advance(60_000);
    expect(claims.length).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it.each([3_600_000, -3_600_000])(
    'is late by no more than its timers when the clock of its host jumps by %i ms',
    async (jumpMs) => {
      const world = new VirtualClock();
      let offset = 0;
      const clock: Clock = {
        now: () => world.now() + offset,
        setTimeout: (fire, delayMs) => world.setTimeout(fire, delayMs),
      };
      const { dispatcher, claims, found } = open(world, { clock });
      found.push({ count: 0, nextDueAt: clock.now() + 1_800_000 });
      dispatcher.wake();
      await world.advance(100);
      offset = jumpMs;
      const hintedAt = world.now();
      dispatcher.hint();
      await world.advance(100);
      expect(claims.at(-1)?.at).toBeGreaterThanOrEqual(hintedAt);
      const notedAt = world.now();
      dispatcher.noteDue(clock.now() + 50);
      await world.advance(100);
      expect(claims.at(-1)?.at).toBe(notedAt + 50);
    },
  );
});
