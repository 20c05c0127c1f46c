import { describe, expect, it } from 'vitest';
import { DurableApi } from '../../src/durable-api.ts';
import type { DurableError } from '../../src/errors.ts';
import type { OperationOptions } from '../../src/options.ts';
import { memoryStore } from '../../src/store/memory-store.ts';
import { respond } from '../support/bed.ts';

/** What is said of a schedule; null when it is taken. */
function refusal(schedule: unknown): string | null {
  const api = new DurableApi({ store: memoryStore(), worker: false });
  try {
    // What users pass may be anything.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const options = { schedule } as OperationOptions;
    api.declare({ name: 'reports', run: async () => respond() }, options);
    return null;
  } catch (error) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { code, message } = error as DurableError;
    expect(code).toBe('options_invalid');
    return message;
  }
}

describe('a schedule', () => {
  it.each([
    '0 3 * * *',
    ' 0  3 * * MON-FRI ',
    '*/10 * * * * *',
    '@daily',
    { cron: '0 3 L * *', timeZone: 'Europe/Berlin', input: { full: true }, missed: 'skip' },
    [
      { name: 'nightly', cron: '0 3 * * *' },
      { name: 'weekly', cron: '0 4 * * SUN', input: () => ({}) },
    ],
  ])('is taken as %o', (schedule) => {
    expect(refusal(schedule)).toBeNull();
  });

  it.each([
    ['tomorrow', '"tomorrow" is no cron expression. Give five fields'],
    ['2030-01-01T00:00:00', 'is no cron expression'],
    ['0 0 0 1 1 * 2030', 'is no cron expression'],
    ['61 * * * *', '"61 * * * *" cannot be used: Invalid value for minute: 61. Give'],
    ['0 0 31 2 *', 'it never comes'],
    ['@reboot', 'cannot be used'],
    [5, 'must be a cron expression, { cron: "0 3 * * *" }, or a list'],
    [['0 3 * * *'], 'schedule.0: must be'],
    [{}, 'schedule.cron'],
    [{ cron: '0 3 * * *', every: 5 }, 'Known are name, cron, timeZone, input'],
    [{ cron: '0 3 * * *', timeZone: 'Mars/Phobos' }, 'there is no time zone "Mars/Phobos"'],
    [{ cron: '0 3 * * *', missed: 'maybe' }, 'schedule.missed'],
    [{ cron: '0 3 * * *', owner: '\0' }, 'The owner must be'],
    [{ cron: '0 3 * * *', input: { a: 1n } }, 'its input cannot be stored'],
    [
      [{ cron: '0 3 * * *' }, { cron: '0 4 * * *' }],
      'two are called "default". Give each one a name of its own',
    ],
  ])('is refused as %o, and it is said why', (schedule, why) => {
    expect(refusal(schedule)).toContain(why);
  });

  it('is nothing that all operations can have', () => {
    const defaults: object = { schedule: '0 3 * * *' };
    expect(() => new DurableApi({ store: memoryStore(), defaults })).toThrow('schedule');
  });
});
