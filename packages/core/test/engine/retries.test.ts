import { describe, expect, it, vi } from 'vitest';
import { backoffMs } from '../../src/engine/backoff.ts';
import { NonRetryableError, RetryAfterError } from '../../src/errors.ts';
import { openBed, respond, type Bed } from '../support/bed.ts';

const FAILED = 'created submitted delivered in_progress delivery_failed waiting';

/** How long each attempt waited for the one before. */
async function waits(bed: Bed, starts: readonly number[], id: string): Promise<number[]> {
  await bed.clock.until(() => bed.data.entries.get(id)?.record.dueAt === null);
  return starts.slice(1).map((at, i) => at - (starts[i] ?? NaN));
}

describe('a failed attempt', () => {
  it('is followed by as many as `retries` says, and then the intent has FAILED', async () => {
    const starts: number[] = [];
    const run = vi.fn(async () => {
      starts.push(bed.clock.now());
      throw new Error('It broke.');
    });
    const backoff = { baseMs: 1_000, factor: 3, maxMs: 5_000 };
    const bed = openBed(run, { operation: { retries: 3, backoff }, random: () => 0.5 });
    const id = await bed.submit();
    expect(await waits(bed, starts, id)).toEqual([500, 1_500, 2_500]);
    expect(run).toHaveBeenCalledTimes(4);
    expect(await bed.snapshot(id)).toMatchObject({
      status: 'FAILED',
      attempt: 4,
      error: { code: 'handler_error', message: 'It broke.', retryable: true },
    });
    const retry = 'delivered in_progress delivery_failed waiting';
    expect(bed.eventTypes(id).join(' ')).toBe(
      `${FAILED} ${retry} ${retry} delivered in_progress failed`,
    );
  });

  it('is retried without a wait when the jitter says so', async () => {
    const starts: number[] = [];
    const bed = openBed(
      async () => {
        starts.push(bed.clock.now());
        throw new Error('It broke.');
      },
      { operation: { retries: 2 }, random: () => 0 },
    );
    const id = await bed.submit();
    expect(await waits(bed, starts, id)).toEqual([0, 0]);
  });

  it('may be a response of 500 and more, and never one below', async () => {
    const statuses = [503, 500, 404];
    const bed = openBed(async () => respond({}, statuses.shift()), { random: () => 0 });
    const id = await bed.submit();
    await bed.clock.until(() => bed.data.entries.get(id)?.record.status === 'COMPLETED');
    const result = await bed.handle('GET', `/${id}/result`);
    expect(result.status).toBe(404);
    expect(bed.data.entries.get(id)?.record).toMatchObject({ attempt: 3, failures: 2 });
  });

  it('is the last one when it threw a NonRetryableError', async () => {
    const bed = openBed(async () => {
      throw new NonRetryableError('There is no such quarter.');
    });
    const id = await bed.submit();
    await bed.clock.until(() => bed.data.entries.get(id)?.record.status === 'FAILED');
    expect(await bed.snapshot(id)).toMatchObject({
      attempt: 1,
      error: { code: 'non_retryable', message: 'There is no such quarter.', retryable: false },
    });
  });

  it('is retried when it wants to be, after a RetryAfterError', async () => {
    const starts: number[] = [];
    const bed = openBed(async () => {
      starts.push(bed.clock.now());
      if (starts.length === 1) throw new RetryAfterError('Busy.', 7_000);
      return respond();
    });
    const id = await bed.submit();
    expect(await waits(bed, starts, id)).toEqual([7_000]);
  });

  it.each([NaN, Infinity, -1, 1e300, Number.MAX_SAFE_INTEGER])(
    'survives a RetryAfterError of %s ms, and so do the others of the process',
    async (retryAfterMs) => {
      let isFirst = true;
      const bed = openBed(
        async () => {
          if (!isFirst) return respond();
          isFirst = false;
          throw new RetryAfterError('Busy.', retryAfterMs);
        },
        { operation: { deadlineMs: 60_000 }, random: () => 0.5 },
      );
      const odd = await bed.submit();
      const other = await bed.submit();
      await bed.clock.until(() => bed.data.entries.get(other)?.record.status === 'COMPLETED');
      await bed.clock.until(() => bed.data.entries.get(odd)?.record.dueAt === null);
      expect(['COMPLETED', 'TIMED_OUT']).toContain((await bed.snapshot(odd)).status);
    },
  );

  it.each([
    ['nothing', undefined],
    ['a string', 'It broke.'],
    ['an object without a prototype', Object.create(null)],
    ['an error whose message is no string', Object.assign(new Error('x'), { message: 42 })],
    [
      'an object that cannot be printed',
      {
        toString: () => {
          throw new Error('Not me.');
        },
      },
    ],
    [
      'an error with hostile members',
      Object.defineProperty(new Error('x'), 'name', {
        get: () => {
          throw new Error('Not me.');
        },
      }),
    ],
    ['a message with half a surrogate pair and NUL', new Error('\ud800\0')],
  ])('may have thrown %s', async (_, thrown: unknown) => {
    const bed = openBed(
      async () => {
        throw thrown;
      },
      { operation: { retries: 0 }, exposeErrors: true },
    );
    const id = await bed.submit();
    await bed.clock.until(() => bed.data.entries.get(id)?.record.status === 'FAILED');
    const { error } = await bed.snapshot(id);
    expect(error?.code).toBe('handler_error');
    expect(error?.message).toMatch(/^[^\0\ud800]*$/);
  });

  it.each([
    ['nothing', undefined],
    ['a status that is none', { ...respond(), status: 'ok' }],
    ['a status that is not final', { ...respond(), status: 100 }],
    ['a status that HTTP does not have', { ...respond(), status: 999 }],
    ['no headers', { status: 200, body: Buffer.from('') }],
    ['a body of text', { ...respond(), body: 'text' }],
  ])('may have answered %s', async (_, response: unknown) => {
    // @ts-expect-error A caller without types can declare such an operation.
    const bed = openBed(async () => response, { operation: { retries: 0 } });
    const id = await bed.submit();
    await bed.clock.until(() => bed.data.entries.get(id)?.record.status === 'FAILED');
  });

  it('says what was thrown only if it may', async () => {
    const run = async (): Promise<never> => {
      throw new Error('password=1234');
    };
    const bed = openBed(run, { operation: { retries: 0 }, exposeErrors: false });
    const id = await bed.submit();
    await bed.clock.until(() => bed.data.entries.get(id)?.record.status === 'FAILED');
    expect((await bed.snapshot(id)).error?.message).toBe('The handler threw an error.');
  });

  it('says what an error with `expose` says, cut to what can be stored', async () => {
    const run = async (): Promise<never> => {
      throw Object.assign(new Error('m'.repeat(5_000)), { expose: true });
    };
    const bed = openBed(run, { operation: { retries: 0 }, exposeErrors: false });
    const id = await bed.submit();
    await bed.clock.until(() => bed.data.entries.get(id)?.record.status === 'FAILED');
    expect((await bed.snapshot(id)).error?.message).toBe('m'.repeat(2_000));
  });
});

describe('the wait before a retry', () => {
  const backoff = { baseMs: 100, factor: 2, maxMs: 1_000 };

  it.each([
    ['none, whatever its factor', { baseMs: 0, factor: 1e200, maxMs: 1_000 }, 0],
    ['longer than instants go', { baseMs: 9e15, factor: 2, maxMs: 9e15 }, 365 * 86_400_000],
  ])('can be %s', async (_, given, bound) => {
    expect(backoffMs(given, 3, () => 1 - 2 ** -53)).toBe(bound);
    let attempts = 0;
    const run = async (): Promise<never> => {
      attempts += 1;
      throw new Error('It broke.');
    };
    const operation = { retries: 3, deadlineMs: null, backoff: given };
    const bed = openBed(run, { operation, random: () => 1 - 2 ** -53 });
    const id = await bed.submit();
    const isOver = (): boolean => bed.data.entries.get(id)?.record.status === 'FAILED';
    await bed.clock.until(isOver, 4 * 365 * 86_400_000);
    expect(attempts).toBe(4);
  });

  it.each([
    [1, 100],
    [2, 200],
    [3, 400],
    [4, 800],
    [5, 1_000],
    [2_000, 1_000],
  ])('is after %i failures between 0 and %i ms', (failures, bound) => {
    expect(backoffMs(backoff, failures, () => 0)).toBe(0);
    expect(backoffMs(backoff, failures, () => 1 - 2 ** -53)).toBe(bound);
    expect(backoffMs(backoff, failures, () => 0.5)).toBe(bound / 2);
  });

  it('is spread evenly', () => {
    const counts = Array.from({ length: 10 }, () => 0);
    for (let i = 0; i < 10_000; i += 1) {
      const bucket = Math.floor(backoffMs({ ...backoff, baseMs: 1_000 }, 1, Math.random) / 100);
      counts[Math.min(9, bucket)] = (counts[Math.min(9, bucket)] ?? 0) + 1;
    }
    for (const count of counts) expect(count).toBeGreaterThan(700);
  });
});
