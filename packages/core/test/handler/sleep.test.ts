import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { memoryData } from '../../src/store/memory-store.ts';
import { bedOf, detailsOf, resultOf, type Body } from '../support/handled.ts';

const HOUR_MS = 3_600_000;

describe('a long sleep', () => {
  it('gives up the place of its handler, says so, and goes on when it is over', async () => {
    const ran: string[] = [];
    const bed = bedOf(
      async ({ step, sleep, attempt }) => {
        await step('before', () => void ran.push('before'));
        await sleep(HOUR_MS);
        await step('after', () => void ran.push('after'));
        return attempt;
      },
      { concurrency: 1 },
    );
    const id = await bed.submit();
    await bed.clock.advance(100);
    const until = bed.clock.now() - 100 + HOUR_MS;
    expect(await bed.snapshot(id)).toMatchObject({
      status: 'WAITING',
      waiting_reason: 'WAITING_FOR_TIME',
      attempt: 1,
    });
    const at = Date.parse((await bed.snapshot(id)).resume_at ?? '');
    expect(Math.abs(at - until)).toBeLessThan(100);
    // Its place is free for another one.
    const other = await bed.submit();
    await bed.clock.advance(100);
    expect((await bed.snapshot(other)).status).toBe('WAITING');
    await bed.clock.advance(HOUR_MS - 1_000);
    expect(ran).toEqual(['before', 'before']);
    await bed.clock.advance(2_000);
    expect(ran).toEqual(['before', 'before', 'after', 'after']);
    expect(await resultOf(bed, id)).toBe(2);
    expect(bed.eventTypes(id)).toEqual([
      'created',
      'submitted',
      'delivered',
      'in_progress',
      'step',
      'waiting',
      'delivered',
      'in_progress',
      'step',
      'completed',
    ]);
  });

  it('holds across a restart', async () => {
    const data = memoryData();
    const ran: string[] = [];
    const body: Body = async ({ step, sleep }) => {
      await step('before', () => void ran.push('before'));
      await sleep(HOUR_MS);
      ran.push('after');
    };
    const first = bedOf(body, { data });
    const id = await first.submit();
    await first.clock.advance(10);
    await first.clock.resolve(first.api.stop());
    const { clock } = first;
    const second = bedOf(body, { data, clock });
    await clock.advance(HOUR_MS - 1_000);
    expect(ran).toEqual(['before']);
    await clock.advance(2_000);
    expect(ran).toEqual(['before', 'after']);
    expect((await second.snapshot(id)).status).toBe('COMPLETED');
  });

  it('takes an instant too, and none at all when that has passed', async () => {
    const bed = bedOf(async ({ sleep }) => {
      await sleep(new Date(0));
      await sleep(new Date(bed.clock.now() + HOUR_MS));
    });
    const id = await bed.submit();
    await bed.clock.advance(HOUR_MS + 10);
    expect((await bed.snapshot(id)).status).toBe('COMPLETED');
    expect(bed.eventTypes(id).filter((type) => type === 'waiting')).toHaveLength(1);
  });

  it('after another goes on from there', async () => {
    const bed = bedOf(async ({ sleep, step }) => {
      const at: number[] = [];
      for (let i = 0; i < 5; i += 1) {
        await sleep(HOUR_MS);
        at.push(await step(`${i}`, () => bed.clock.now()));
      }
      return at;
    });
    const start = bed.clock.now();
    const id = await bed.submit();
    await bed.clock.advance(6 * HOUR_MS);
    const at = z.array(z.number()).parse(await resultOf(bed, id));
    expect(at.map((each, i) => Math.round((each - start) / HOUR_MS) === i + 1)).toEqual(
      Array(5).fill(true),
    );
  });

  it('side by side with others is as long as each of them, and steps beside it are done first', async () => {
    const ran: string[] = [];
    const bed = bedOf(async ({ sleep, step }) => {
      const work = async (name: string, ms: number): Promise<void> => {
        await sleep(ms, { name });
        await step(name, () => void ran.push(name));
      };
      const beside = step('beside', async () => {
        await new Promise<void>((resolve) => bed.clock.setTimeout(resolve, 60_000));
        ran.push('beside');
      });
      await Promise.all([
        work('two', 2 * HOUR_MS),
        work('one', HOUR_MS),
        work('short', 30_000),
        beside,
      ]);
    });
    const id = await bed.submit();
    await bed.clock.advance(45_000);
    expect(ran).toEqual(['short']);
    expect((await bed.snapshot(id)).status).toBe('IN_PROGRESS');
    await bed.clock.advance(30_000);
    expect(ran).toEqual(['short', 'beside']);
    expect((await bed.snapshot(id)).status).toBe('WAITING');
    await bed.clock.advance(3 * HOUR_MS);
    expect(ran).toEqual(['short', 'beside', 'one', 'two']);
    expect((await bed.snapshot(id)).status).toBe('COMPLETED');
  });

  it('tells the signal of its handler that it is suspended, and cannot be caught', async () => {
    const causes: unknown[] = [];
    const caught: unknown[] = [];
    const bed = bedOf(async ({ sleep, signal }) => {
      signal.addEventListener('abort', () => causes.push(signal.reason.cause));
      try {
        await sleep(HOUR_MS);
      } catch (error) {
        caught.push(error);
      }
    });
    await bed.submit();
    await bed.clock.advance(HOUR_MS + 1_000);
    expect(causes).toEqual(['suspended']);
    expect(caught).toEqual([]);
  });

  it('ends with a cancel, and with the deadline', async () => {
    const bed = bedOf(({ sleep }) => sleep(HOUR_MS), { operation: { deadlineMs: 60_000 } });
    const canceled = await bed.submit();
    const late = await bed.submit();
    await bed.clock.advance(10);
    await bed.handle('POST', `/${canceled}/cancel`);
    await bed.clock.advance(120_000);
    expect((await bed.snapshot(canceled)).status).toBe('CANCELED');
    expect((await bed.snapshot(late)).status).toBe('TIMED_OUT');
  });

  it('does not eat up retries, nor count against the timeout of an attempt', async () => {
    const bed = bedOf(
      async ({ sleep }) => {
        for (let i = 0; i < 8; i += 1) await sleep(60_000);
      },
      { operation: { retries: 0, timeoutMs: 90_000 } },
    );
    const id = await bed.submit();
    await bed.clock.advance(HOUR_MS);
    expect((await bed.snapshot(id)).status).toBe('COMPLETED');
  });
});

describe('a short sleep', () => {
  it('is slept in place', async () => {
    const bed = bedOf(async ({ sleep, attempt }) => {
      await sleep(900);
      return attempt;
    });
    const id = await bed.submit();
    await bed.clock.advance(500);
    expect((await bed.snapshot(id)).status).toBe('IN_PROGRESS');
    await bed.clock.advance(500);
    expect(await resultOf(bed, id)).toBe(1);
    expect(detailsOf(bed, id, 'waiting')).toEqual([]);
  });

  it('ends with the attempt, and lets the handler clean up', async () => {
    const cleaned: string[] = [];
    const bed = bedOf(async ({ sleep }) => {
      try {
        await sleep(1_000);
      } finally {
        cleaned.push('cleaned');
      }
    });
    const id = await bed.submit();
    await bed.clock.advance(10);
    await bed.handle('POST', `/${id}/cancel`);
    await bed.clock.advance(10);
    expect(cleaned).toEqual(['cleaned']);
    expect((await bed.snapshot(id)).status).toBe('CANCELED');
  });
});

describe('a sleep that cannot work', () => {
  it.each<[string, string, Body]>([
    ['of a negative duration', 'sleep_invalid', ({ sleep }) => sleep(-1)],
    ['of no number', 'sleep_invalid', ({ sleep }) => sleep(NaN)],
    ['until no instant', 'sleep_invalid', ({ sleep }) => sleep(new Date(NaN))],
    ['for ever', 'sleep_invalid', ({ sleep }) => sleep(Infinity)],
    ['with a number for a name', 'sleep_invalid', ({ sleep }) => sleep(1, { name: '7' })],
    [
      'with a name that another has',
      'sleep_invalid',
      ({ sleep }) => Promise.all([sleep(5, { name: 'a' }), sleep(5, { name: 'a' })]),
    ],
    ['in a step', 'step_nested', ({ step, sleep }) => step('a', () => sleep(5_000))],
  ])('%s fails the intent at once', async (_, code, body) => {
    const bed = bedOf(body);
    const id = await bed.submit();
    await bed.clock.advance(5_000);
    expect((await bed.snapshot(id)).error).toMatchObject({ code, retryable: false });
  });
});
