import { describe, expect, it } from 'vitest';
import { parseProgress } from '../../src/engine/progress-reporter.ts';
import { openBed, type Bed } from '../support/bed.ts';
import { callAt, gatedHandler } from '../support/gate.ts';

const reports = (bed: Bed, id: string): number =>
  bed.eventTypes(id).filter((type) => type === 'progress').length;

describe('what a handler reports', () => {
  it.each([
    [0.25, { fraction: 0.25 }],
    [
      { fraction: 1, message: 'Done.' },
      { fraction: 1, message: 'Done.' },
    ],
    [
      { current: 1, total: 4 },
      { current: 1, total: 4, fraction: 0.25 },
    ],
    [
      { current: 9, total: 4 },
      { current: 9, total: 4, fraction: 1 },
    ],
    [
      { current: 1, total: 0 },
      { current: 1, total: 0 },
    ],
    [{}, {}],
  ])('is for %j: %j', (report, progress) => {
    expect(parseProgress(report, 1_000)).toEqual(progress);
  });

  it.each([
    [-0.1],
    [1.1],
    [NaN],
    [{ fraction: 2 }],
    [{ current: NaN }],
    [{ current: 1, total: Infinity }],
    [{ message: 'x'.repeat(1_001) }],
    [{ message: '€'.repeat(400) }],
  ])('is refused as %j', (report) => {
    expect(() => parseProgress(report, 1_000)).toThrow(RangeError);
  });

  it.each([[null], ['half'], [{ message: 5 }], [{ fraction: '0.5' }], [{ current: 1n }]])(
    'is refused as %o from who has no types',
    (report: unknown) => {
      // @ts-expect-error Not everybody has types.
      expect(() => parseProgress(report, 1_000)).toThrow(RangeError);
    },
  );

  it('is stored at once, and then at most every 100 ms, the last of it always', async () => {
    const { calls, handler } = gatedHandler();
    const bed = openBed(handler);
    const id = await bed.submit();
    const { progress } = callAt(calls, 0).context;
    for (let i = 0; i <= 10; i += 1) {
      progress(i / 10);
      await bed.clock.advance(30);
    }
    await bed.clock.advance(1_000);
    expect(reports(bed, id)).toBeLessThanOrEqual(5);
    expect((await bed.snapshot(id)).progress).toEqual({ fraction: 1 });
    progress(0.5);
    progress(0.7);
    callAt(calls, 0).respond();
    await bed.clock.advance(0);
    expect(bed.eventTypes(id).slice(-3)).toEqual(['progress', 'progress', 'completed']);
    expect((await bed.snapshot(id)).progress).toEqual({ fraction: 0.7 });
  });

  it('is dropped beyond maxEventCount, and the end is stored all the same', async () => {
    const { calls, handler } = gatedHandler();
    const bed = openBed(handler, { limits: { maxEventCount: 16 } });
    const id = await bed.submit();
    for (let i = 0; i < 100; i += 1) {
      callAt(calls, 0).context.progress(i / 100);
      await bed.clock.advance(200);
    }
    expect(bed.eventTypes(id).length).toBe(16);
    callAt(calls, 0).respond();
    await bed.clock.advance(100);
    expect(bed.eventTypes(id).at(-1)).toBe('completed');
  });

  it('leaves the handler alone after its attempt has ended', async () => {
    const { calls, handler } = gatedHandler();
    const bed = openBed(handler, { operation: { deadlineMs: 1_000 } });
    const id = await bed.submit();
    await bed.clock.advance(2_000);
    callAt(calls, 0).context.progress(0.5);
    await bed.clock.advance(1_000);
    expect(reports(bed, id)).toBe(0);
  });
});
