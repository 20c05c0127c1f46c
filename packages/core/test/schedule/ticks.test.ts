import { describe, expect, it } from 'vitest';
import { dueTicks } from '../../src/schedule/due-ticks.ts';
import type { MissedTicks } from '../../src/schedule/schedule-options.ts';
import { Ticks } from '../../src/schedule/ticks.ts';

const iso = (instants: readonly number[]): string[] =>
  instants.map((at) => new Date(at).toISOString().replace(':00.000Z', 'Z'));

/** The first ticks after an instant. */
function first(count: number, cron: string, after: string, timeZone = 'Europe/Berlin'): string[] {
  const ticks = new Ticks(cron, timeZone);
  const found: number[] = [];
  while (found.length < count) found.push(ticks.after(found.at(-1) ?? Date.parse(after)));
  return iso(found);
}

describe('where clocks go forward', () => {
  it('a time that there is not is the first instant after the gap', () => {
    expect(first(3, '30 2 * * *', '2026-03-28T00:00Z')).toEqual([
      '2026-03-28T01:30Z',
      '2026-03-29T01:00Z',
      '2026-03-30T00:30Z',
    ]);
  });

  it('a pattern of minutes has no gap', () => {
    expect(first(3, '*/30 * * * *', '2026-03-29T00:15Z')).toEqual([
      '2026-03-29T00:30Z',
      '2026-03-29T01:00Z',
      '2026-03-29T01:30Z',
    ]);
  });
});

describe('where clocks go back', () => {
  it('a time that there is twice is the first of the two', () => {
    expect(first(3, '30 2 * * *', '2026-10-24T00:00Z')).toEqual([
      '2026-10-24T00:30Z',
      '2026-10-25T00:30Z',
      '2026-10-26T01:30Z',
    ]);
  });

  it('a pattern of hours goes on through both', () => {
    expect(first(4, '0 * * * *', '2026-10-24T23:30Z')).toEqual([
      '2026-10-25T00:00Z',
      '2026-10-25T01:00Z',
      '2026-10-25T02:00Z',
      '2026-10-25T03:00Z',
    ]);
  });
});

describe('the ends of months', () => {
  it('a day that a month has not is left out, and L is the last one', () => {
    expect(first(3, '0 0 31 * *', '2026-01-01T00:00Z', 'UTC')).toEqual([
      '2026-01-31T00:00Z',
      '2026-03-31T00:00Z',
      '2026-05-31T00:00Z',
    ]);
    expect(first(3, '0 0 L * *', '2028-01-01T00:00Z', 'UTC')).toEqual([
      '2028-01-31T00:00Z',
      '2028-02-29T00:00Z',
      '2028-03-31T00:00Z',
    ]);
    expect(first(2, '0 0 29 2 *', '2026-01-01T00:00Z', 'UTC')).toEqual([
      '2028-02-29T00:00Z',
      '2032-02-29T00:00Z',
    ]);
  });
});

it('the ticks do not depend on the instant at which one asks', () => {
  const begin = Date.UTC(2026, 9, 24);
  for (const timeZone of ['Europe/Berlin', 'Australia/Lord_Howe', 'America/New_York']) {
    for (const cron of ['30 2 * * *', '*/20 1-2 * * *', '0 */2 * * *']) {
      const ticks = new Ticks(cron, timeZone);
      const all = ticks.between(begin, begin + 3 * 86_400_000);
      for (let at = begin; at < begin + 2 * 86_400_000; at += 17 * 60_000 + 1)
        expect(ticks.after(at)).toBe(all.find((tick) => tick > at));
    }
  }
});

describe('what is due', () => {
  const MINUTE_MS = 60_000;
  const due = (cron: string, missed: MissedTicks, from: string, now: string): string[] => {
    const setup = { ticks: new Ticks(cron, 'UTC'), missed, lateMs: MINUTE_MS };
    return iso(dueTicks(setup, Date.parse(from), Date.parse(now)));
  };

  it.each(['latest', 'skip', 'all'] as const)(
    'is each tick that is only late, with %s',
    (missed) => {
      const some = due('*/10 * * * * *', missed, '2026-01-01T00:00:20Z', '2026-01-01T00:01:05Z');
      expect(some).toHaveLength(5);
    },
  );

  it('is the last one of those that were missed, none, or all', () => {
    const missed = (how: MissedTicks, now = '2026-01-01T12:30:30Z'): string[] =>
      due('0 * * * *', how, '2026-01-01T09:00Z', now);
    expect(missed('latest')).toEqual(['2026-01-01T12:00Z']);
    expect(missed('skip')).toEqual([]);
    expect(missed('all')).toHaveLength(4);
    // The one of just now stands for them.
    expect(missed('latest', '2026-01-01T12:00:30Z')).toEqual(['2026-01-01T12:00Z']);
    expect(missed('skip', '2026-01-01T12:00:30Z')).toEqual(['2026-01-01T12:00Z']);
    expect(missed('all', '2026-01-01T12:00:30Z')).toHaveLength(4);
  });

  it('is bounded after years, and found quickly', () => {
    const startedAt = performance.now();
    const all = due('* * * * * *', 'all', '2020-01-01T00:00Z', '2026-01-01T00:00:00Z');
    expect(all).toHaveLength(1_000 + 61);
    expect(due('0 0 1 1 *', 'latest', '1990-01-01T00:00Z', '2026-11-01T00:00Z')).toEqual([
      '2026-01-01T00:00Z',
    ]);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
