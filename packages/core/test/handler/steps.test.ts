import { describe, expect, it } from 'vitest';
import { NonRetryableError } from '../../src/errors.ts';
import type { StepContext } from '../../src/engine/operation.ts';
import { aborted, type Bed } from '../support/bed.ts';
import { bedOf, resultOf, type Body } from '../support/handled.ts';

const NO_WAIT = { backoff: { baseMs: 0 } } as const;

/** Submits, lets the attempts run, and gives how it ended. */
async function run(bed: Bed): Promise<{ id: string; code: string | undefined; message: string }> {
  const id = await bed.submit();
  await bed.clock.advance(60_000);
  const { error } = await bed.snapshot(id);
  return { id, code: error?.code, message: error?.message ?? '' };
}

describe('a step', () => {
  it('gives its value, and is shown with its name and without its value', async () => {
    const bed = bedOf(({ step }) => step('sum', () => ({ secret: [1, null, 'two', true] })));
    const { id } = await run(bed);
    expect(await resultOf(bed, id)).toEqual({ secret: [1, null, 'two', true] });
    const json = (bed.data.entries.get(id)?.commits.flat() ?? [])
      .filter(({ type }) => type === 'intent.step')
      .map((event): unknown => JSON.parse(event.json));
    expect(json).toMatchObject([{ attempt: 1, details: { name: 'sum', duration_ms: 0 } }]);
    expect(JSON.stringify(json)).not.toContain('secret');
  });

  it('runs once, though the handler runs again, and gives the later attempt its value', async () => {
    const ran: string[] = [];
    const bed = bedOf(
      async ({ step, attempt }) => {
        const a = await step('a', () => (ran.push('a'), { n: ran.length }));
        const b = await step('b', async () => (ran.push('b'), undefined));
        ran.push(`attempt ${attempt}`);
        if (attempt < 3) throw new Error('Not yet.');
        return [a, b ?? 'undefined', await step('c', () => (ran.push('c'), 'c'))];
      },
      { operation: NO_WAIT },
    );
    const { id } = await run(bed);
    expect(ran).toEqual(['a', 'b', 'attempt 1', 'attempt 2', 'attempt 3', 'c']);
    expect(await resultOf(bed, id)).toEqual([{ n: 1 }, 'undefined', 'c']);
    expect(bed.eventTypes(id).filter((type) => type === 'step')).toHaveLength(3);
  });

  it('gives the first attempt the same copy of its value as a later one', async () => {
    const value = { list: [1], gone: undefined };
    const bed = bedOf(async ({ step }) => {
      const given = await step('a', () => value);
      return [given === value, Object.keys(given)];
    });
    expect(await resultOf(bed, (await run(bed)).id)).toEqual([false, ['list']]);
  });

  it('that failed runs again in the next attempt', async () => {
    let runs = 0;
    const bed = bedOf(
      ({ step }) =>
        step('flaky', () => {
          runs += 1;
          if (runs < 3) throw new Error('Flaky.');
          return runs;
        }),
      { operation: NO_WAIT },
    );
    const { id } = await run(bed);
    expect(await resultOf(bed, id)).toBe(3);
    expect((await bed.snapshot(id)).attempt).toBe(3);
  });

  it('may run beside others, and those that were done stay done', async () => {
    const ran: string[] = [];
    const bed = bedOf(
      async ({ step, attempt }) => {
        const one = (name: string): Promise<string> =>
          step(name, async () => {
            ran.push(name);
            if (name === 'b' && attempt === 1) throw new Error('Not yet.');
            return name;
          });
        const all = await Promise.allSettled(['a', 'b', 'c'].map(one));
        return all.map((each) => {
          if (each.status === 'rejected') throw each.reason;
          return each.value;
        });
      },
      { operation: NO_WAIT },
    );
    expect(await resultOf(bed, (await run(bed)).id)).toEqual(['a', 'b', 'c']);
    expect(ran).toEqual(['a', 'b', 'c', 'b']);
  });

  it('is retried within the attempt as often as it says, and has one idempotency key', async () => {
    const runs: StepContext[] = [];
    const bed = bedOf(
      async ({ step }) => {
        await step('other', ({ idempotencyKey }) => idempotencyKey);
        return step(
          'flaky',
          (context) => {
            runs.push(context);
            if (runs.length < 3) throw new Error('Flaky.');
            return context.idempotencyKey;
          },
          { retries: 2 },
        );
      },
      { operation: { retries: 0 } },
    );
    const { id } = await run(bed);
    expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(new Set(runs.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    expect(await resultOf(bed, id)).toMatch(/^[\w-]{43}$/);
    expect((await bed.snapshot(id)).attempt).toBe(1);
  });

  it('is not retried when it says that this would not help', async () => {
    let runs = 0;
    const bed = bedOf(({ step }) =>
      step(
        'hopeless',
        () => {
          runs += 1;
          throw new NonRetryableError('Hopeless.');
        },
        { retries: 5 },
      ),
    );
    expect(await run(bed)).toMatchObject({ code: 'non_retryable', message: 'Hopeless.' });
    expect(runs).toBe(1);
  });

  it('that takes longer than its timeout has failed, and its signal is aborted', async () => {
    const reasons: string[] = [];
    const bed = bedOf(
      ({ step }) =>
        step('slow', ({ signal }) => aborted(signal).catch((e) => reasons.push(String(e))), {
          timeoutMs: 500,
          retries: 1,
        }),
      { operation: { retries: 0, ...NO_WAIT } },
    );
    const { code, message } = await run(bed);
    expect([code, message]).toEqual([
      'handler_error',
      'Step "slow" took longer than its timeout of 500 ms.',
    ]);
    expect(reasons).toEqual([`Error: ${message}`, `Error: ${message}`]);
  });

  it('hears of the end of its attempt', async () => {
    const heard: unknown[] = [];
    const bed = bedOf(({ step }) =>
      step('slow', ({ signal }) => aborted(signal).catch((e) => heard.push(e.cause)), {
        timeoutMs: 1e6,
      }),
    );
    const id = await bed.submit();
    await bed.handle('POST', `/${id}/cancel`);
    await bed.clock.advance(0);
    expect(heard).toEqual(['canceled']);
  });

  it('writes nothing once its attempt is over', async () => {
    const gate = Promise.withResolvers<string>();
    const bed = bedOf(({ step }) => step('late', () => gate.promise), {
      operation: { timeoutMs: 1_000, retries: 0 },
    });
    const id = await bed.submit();
    await bed.clock.advance(2_000);
    gate.resolve('late');
    await bed.clock.advance(1_000);
    expect(bed.eventTypes(id)).not.toContain('step');
    expect(bed.data.entries.get(id)?.notes).toBeNull();
  });

  it('that nobody waits for does not take down the process', async () => {
    const bed = bedOf(async ({ step }) => {
      void step('left alone', () => Promise.reject(new Error('Unseen.')));
      return 'done';
    });
    expect(await resultOf(bed, (await run(bed)).id)).toBe('done');
  });
});

describe('what cannot work', () => {
  const circular: { self?: unknown } = {};
  circular.self = circular;
  it.each<[string, unknown]>([
    ['a Date', { at: new Date() }],
    ['a Map', new Map()],
    ['a bigint', [1n]],
    ['a function', { call: () => 1 }],
    ['NaN', NaN],
    ['Infinity', [[Infinity]]],
    ['undefined', [undefined]],
    ['a Uint8Array', new Uint8Array(1)],
    ['half of a surrogate pair', '\ud800'],
    ['nested more than 64 levels deep', circular],
    ['an object with a toJSON method', { toJSON: () => 1 }],
  ])('is a step whose value is %s', async (what, value) => {
    const { code, message } = await run(bedOf(({ step }) => step('a', () => value)));
    expect(code).toBe('step_not_json');
    expect(message).toContain(what);
    expect(message).toContain('The value of step "a"');
  });

  it.each<[string, string, Body]>([
    [
      'two steps of one name',
      'step_duplicate',
      ({ step }) => Promise.all([step('a', () => 1), step('a', () => 2)]),
    ],
    ['a step in a step', 'step_nested', ({ step }) => step('a', () => step('b', () => 1))],
    ['a step without a name', 'step_invalid', ({ step }) => step('', () => 1)],
    ['a step with a line break in its name', 'step_invalid', ({ step }) => step('a\nb', () => 1)],
    ['a step with a long name', 'step_invalid', ({ step }) => step('a'.repeat(201), () => 1)],
    [
      'a negative number of retries',
      'step_invalid',
      ({ step }) => step('a', () => 1, { retries: -1 }),
    ],
    ['a timeout of zero', 'step_invalid', ({ step }) => step('a', () => 1, { timeoutMs: 0 })],
    [
      'a value that is too large',
      'step_too_large',
      ({ step }) => step('a', () => 'x'.repeat(2 ** 20)),
    ],
  ])('is %s, and is not tried again', async (_, expected, body) => {
    const bed = bedOf(body);
    const { id, code, message } = await run(bed);
    expect(code).toBe(expected);
    expect(message).toMatch(/\. |\.$/);
    expect((await bed.snapshot(id)).attempt).toBe(1);
  });

  it('is a step beyond the events that an intent may have', async () => {
    const bed = bedOf(
      async ({ step }) => {
        for (let i = 0; i < 20; i += 1) await step(`${i}`, () => i);
      },
      { limits: { maxEventCount: 16 } },
    );
    expect(await run(bed)).toMatchObject({ code: 'too_many_events' });
  });
});
