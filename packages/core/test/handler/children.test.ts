import { describe, expect, it } from 'vitest';
import { ChildError } from '../../src/errors.ts';
import { aborted, respond, type Bed } from '../support/bed.ts';
import { childrenOf, familyOf, recordOf, work, type ChildBody } from '../support/family.ts';
import { detailsOf, resultOf, type Body } from '../support/handled.ts';
import { HastyClock } from '../support/hasty-clock.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const HOUR_MS = 3_600_000;
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const double: ChildBody = async (n) => 2 * Number(n);
/** Takes as long as it is told to, awake. */
const slow =
  (bed: () => Bed): ChildBody =>
  async (ms, { signal }) => {
    await Promise.race([work(bed, Number(ms)), aborted(signal)]);
    return `after ${String(ms)}`;
  };
const codeOf = (error: unknown): string => {
  if (error instanceof ChildError) return error.code;
  throw error;
};

describe('a handler that starts a child', () => {
  it('is given its result, of one that is quick in the same attempt', async () => {
    const bed = familyOf(
      async ({ start }) => {
        const child = await start<number>('double', 21);
        return { id: child.intentId, operation: child.operation, result: await child.result() };
      },
      { double },
    );
    const id = await bed.submit();
    await bed.clock.advance(2_000);
    const [child] = childrenOf(bed, id);
    const expected = { id: child?.id, operation: 'double', result: 42 };
    expect(await resultOf(bed, id)).toEqual(expected);
    expect(recordOf(bed, id).attempt).toBe(1);
    expect(detailsOf(bed, id, 'child_started')).toEqual([
      { intent_id: child?.id, operation: 'double' },
    ]);
    expect(detailsOf(bed, id, 'child_ended')).toEqual([
      { intent_id: child?.id, operation: 'double', status: 'COMPLETED' },
    ]);
    expect(detailsOf(bed, child?.id ?? '', 'created')).toEqual([{ parent_intent_id: id }]);
  });

  it('gives up its place also on a clock that passes while it is read', async () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const clock = new HastyClock(seed);
      const bed: Bed = familyOf(
        async ({ start }) => {
          const children = [await start('double', 21), await start('slow', HOUR_MS)];
          return Promise.all(children.map((child) => child.result()));
        },
        { double, slow: slow(() => bed) },
        { clock },
      );
      const id = await bed.submit();
      await clock.until(() => recordOf(bed, id).status === 'WAITING', 10_000);
    }
  });

  it('keeps its place for a moment, unless another may need it', async () => {
    const attempts = async (concurrency: number): Promise<number> => {
      const bed: Bed = familyOf(
        async ({ start }) => (await start('slow', 500)).result(),
        { slow: slow(() => bed) },
        { concurrency },
      );
      const id = await bed.submit();
      await bed.clock.advance(100);
      expect(childrenOf(bed, id)).toMatchObject([{ status: 'IN_PROGRESS' }]);
      await bed.clock.advance(10_000);
      expect(await resultOf(bed, id)).toBe('after 500');
      return recordOf(bed, id).attempt;
    };
    expect([await attempts(10), await attempts(1)]).toEqual([1, 2]);
  });

  it('gives up its place when it takes longer, and goes on with the result', async () => {
    const bed: Bed = familyOf(
      async ({ start, attempt }) => {
        const child = await start('slow', 600_000);
        return [attempt, await child.result()];
      },
      { slow: slow(() => bed) },
      // The child could never run if its parent kept the only place.
      { concurrency: 1 },
    );
    const id = await bed.submit();
    await bed.clock.advance(10_000);
    expect(await bed.snapshot(id)).toMatchObject({
      status: 'WAITING',
      waiting_reason: 'WAITING_FOR_TOOL',
    });
    const [child] = childrenOf(bed, id);
    expect(child?.status).toBe('IN_PROGRESS');
    const waits = { children: [{ intent_id: child?.id, operation: 'slow' }], open_children: 1 };
    expect(detailsOf(bed, id, 'waiting')[0]).toEqual(waits);
    await bed.clock.advance(600_000);
    expect(await resultOf(bed, id)).toEqual([2, 'after 600000']);
  });

  it('passes on owner, trace, and what it says of the request', async () => {
    const seen: unknown[] = [];
    const bed = familyOf(
      async ({ start }) => {
        const options = { params: { id: '7' }, query: { a: 'b' }, headers: { 'x-a': 'b' } };
        await (await start('look', { n: 1 }, options)).result();
        await (await start('look', undefined, { captured: { user: 'ann' } })).result();
      },
      { look: async (body, { owner, traceparent }) => seen.push({ body, owner, traceparent }) },
      { identify: () => 'tenant-1' },
    );
    const rest = { headers: { traceparent: TRACE, tracestate: 'a=b', authorization: 'secret' } };
    const owner = { owner: 'tenant-1' };
    const submit = bed.api.intents.submit('reports.generate', { rest }, owner);
    const { record } = await bed.clock.resolve(submit);
    await bed.clock.advance(10_000);
    const common = { owner: 'tenant-1', traceparent: TRACE };
    expect(seen).toEqual([
      { ...common, body: { n: 1 } },
      { ...common, body: undefined },
    ]);
    const inputs = childrenOf(bed, record.id).map(({ id }) => {
      return JSON.parse(bed.data.entries.get(id)?.input ?? '').rest;
    });
    const trace = { traceparent: TRACE, tracestate: 'a=b' };
    expect(inputs).toEqual([
      { params: { id: '7' }, query: { a: 'b' }, headers: { ...trace, 'x-a': 'b' } },
      { params: {}, query: {}, headers: trace, captured: { user: 'ann' } },
    ]);
    const [listed] = await bed.clock.resolve(bed.api.intents.list({ operation: 'look', limit: 1 }));
    expect(listed?.parentIntentId).toBe(record.id);
    expect(record.parentIntentId).toBeUndefined();
  });

  it('is given what it answered, of any kind and size', async () => {
    const body = 'x'.repeat(20_000);
    const answers: ChildBody = async (kind) => {
      if (kind === 'large') return { body };
      if (kind === 'none') return { status: 204, headers: {}, body: Buffer.alloc(0) };
      const type = kind === 'text' ? 'text/plain' : 'application/octet-stream';
      return { status: 200, headers: { 'content-type': type }, body: Buffer.from('hé') };
    };
    const bed = familyOf(
      async ({ start, sleep }) => {
        const children = [];
        for (const kind of ['large', 'none', 'text', 'bytes']) {
          children.push(await start('answers', kind));
        }
        await sleep(HOUR_MS);
        const values = await Promise.all(children.map((child) => child.result()));
        return values.map((value) => (value instanceof Uint8Array ? [...value] : (value ?? null)));
      },
      { answers },
    );
    const id = await bed.submit();
    await bed.clock.advance(HOUR_MS + 5_000);
    expect(await resultOf(bed, id)).toEqual([{ body }, null, 'hé', [...Buffer.from('hé')]]);
  });

  it('finds it again in a later attempt, and starts none twice', async () => {
    const bed: Bed = familyOf(
      async ({ start, attempt }) => {
        const children = await Promise.all([
          start('slow', 5_000),
          start('double', 4),
          start('slow', 5_000),
          start('double', 4, { name: 'other' }),
        ]);
        if (attempt < 3) throw new Error('Not now.');
        return Promise.all(children.map((child) => child.result()));
      },
      { slow: slow(() => bed), double },
      { operation: { retries: 5 } },
    );
    const id = await bed.submit();
    await bed.clock.advance(60_000);
    expect(await resultOf(bed, id)).toEqual(['after 5000', 8, 'after 5000', 8]);
    expect(childrenOf(bed, id)).toHaveLength(4);
  });

  it('may wait for several side by side, and for other things beside them', async () => {
    const bed: Bed = familyOf(
      async ({ start, sleep, waitFor, step }) => {
        const [a, b] = await Promise.all([start<string>('slow', 60_000), start('slow', 120_000)]);
        const late = sleep(90_000).then(() => 'late');
        const first = await Promise.race([a.result(), late]);
        const second = await Promise.race([b.result(), late]);
        await step('told', () => null);
        return [first, second, await waitFor('go'), await b.result()];
      },
      { slow: slow(() => bed) },
    );
    const id = await bed.submit();
    await bed.clock.advance(130_000);
    expect((await bed.snapshot(id)).status).toBe('WAITING');
    await bed.handle('POST', `/${id}/signals/go`, { body: 'go' });
    await bed.clock.advance(2_000);
    expect(await resultOf(bed, id)).toEqual(['after 60000', 'late', 'go', 'after 120000']);
  });

  it('starts a thousand, which end at their own time, in few attempts', async () => {
    const clock = new VirtualClock();
    const bed: Bed = familyOf(
      async ({ start }) => {
        const numbers = Array.from({ length: 1_000 }, (_, i) => i);
        const children = await Promise.all(numbers.map((n) => start<number>('some', n)));
        const results = await Promise.all(children.map((child) => child.result()));
        return results.reduce((sum, n) => sum + n, 0);
      },
      {
        some: async (n) => {
          await work(() => bed, 50 * (1 + (Number(n) % 100)));
          return n;
        },
      },
      { clock, concurrency: 20 },
    );
    const id = await bed.submit();
    await clock.until(() => recordOf(bed, id).dueAt === null);
    expect(await resultOf(bed, id)).toBe(499_500);
    expect(childrenOf(bed, id)).toHaveLength(1_000);
    expect(recordOf(bed, id).attempt).toBeLessThan(40);
    expect(recordOf(bed, id).seq).toBeLessThan(2_200);
  });

  it.each([
    // Of a few it hears at once, of many when more of them may have ended.
    [5, 0],
    [100, (99 - 8) * 60],
  ])('hears of the first of %d after %d ms, and of the last at once', async (count, delayMs) => {
    const bed: Bed = familyOf(
      async ({ start, attempt }) => {
        const numbers = Array.from({ length: count }, (_, i) => i);
        const children = await Promise.all(
          numbers.map((i) => start('slow', i === 0 ? 9_000 : 9e5)),
        );
        await Promise.all(children.map((child) => child.result()));
        return attempt;
      },
      { slow: { run: slow(() => bed), options: { timeoutMs: 3_600_000 } } },
      { concurrency: 3_000, operation: { timeoutMs: 3_600_000 } },
    );
    const id = await bed.submit();
    await bed.clock.until(() => recordOf(bed, id).status === 'WAITING');
    const told = (): number => detailsOf(bed, id, 'child_ended').length;
    await bed.clock.until(() => told() === 1);
    const { updatedAt, dueAt } = recordOf(bed, id);
    // It has resumed already, or will.
    if (delayMs > 0) expect(Number(dueAt) - updatedAt).toBe(delayMs);
    const since = bed.clock.now();
    await bed.clock.until(() => recordOf(bed, id).attempt === 2);
    expect(bed.clock.now() - since).toBe(delayMs);
    await bed.clock.until(() => told() === count);
    await bed.clock.until(() => recordOf(bed, id).dueAt === null, 2_000);
    expect(await resultOf(bed, id)).toBe(3);
  });

  it('is told why there is no result, and may catch it', async () => {
    const bed = familyOf(
      async ({ start, attempt }) => {
        const failing = await start('failing');
        const error = await failing.result().catch((thrown: unknown) => thrown);
        if (!(error instanceof ChildError)) throw error;
        const { code, message, failure, intentId } = error;
        const refused = await (await start('refusing')).result().catch((e: ChildError) => e);
        const late = await (await start('late')).result().catch(codeOf);
        return {
          code,
          message,
          failure,
          isOf: intentId === failing.intentId,
          refused,
          late,
          attempt,
        };
      },
      {
        failing: {
          run: async () => {
            throw Object.assign(new Error('No paper.'), { expose: true });
          },
          options: { retries: 0 },
        },
        refusing: async () => respond({ error: 'What?' }, 422),
        late: { run: (_, { signal }) => aborted(signal), options: { deadlineMs: 500 } },
      },
    );
    const id = await bed.submit();
    await bed.clock.advance(60_000);
    const result = await resultOf(bed, id);
    expect(result).toMatchObject({
      code: 'child_failed',
      message: expect.stringMatching(/^The child "failing" \(.*\) failed: No paper\.$/),
      failure: { code: 'handler_error', message: 'No paper.', retryable: true },
      isOf: true,
      refused: { code: 'child_refused', answer: { status: 422, value: { error: 'What?' } } },
      late: 'child_timed_out',
    });
  });

  it('has failed for good when it lets that pass', async () => {
    const bed = familyOf(async ({ start }) => (await start('failing')).result(), {
      failing: {
        run: () => Promise.reject(new Error('No paper.')),
        options: { retries: 0 },
      },
    });
    const id = await bed.submit();
    await bed.clock.advance(10_000);
    expect(await bed.snapshot(id)).toMatchObject({
      status: 'FAILED',
      attempt: 1,
      error: { code: 'child_failed', retryable: false },
    });
  });

  const wrong: readonly [string, Body, string, RegExp][] = [
    [
      'an operation that there is not',
      async ({ start }) => start('nothing'),
      'start_invalid',
      /Declared are: reports\.generate, double/,
    ],
    [
      'an input that is not JSON',
      async ({ start }) => start('double', { n: 1n }),
      'start_invalid',
      /bigint/,
    ],
    [
      'one in a step',
      async ({ start, step }) => step('a', () => start('double', 1)),
      'step_nested',
      /start\(\)/,
    ],
    [
      'two of one name',
      async ({ start }) =>
        Promise.all([start('double', 1, { name: 'a' }), start('double', 2, { name: 'a' })]),
      'start_invalid',
      /two children named "a"/,
    ],
    [
      'another input than before',
      async ({ start, attempt, sleep }) => {
        await start('double', attempt);
        await sleep(10_000);
      },
      'child_changed',
      /start\("double"\) had another input/,
    ],
    [
      'another operation under the same name than before',
      async ({ start, attempt, sleep }) => {
        await start(attempt === 1 ? 'double' : 'triple', 1, { name: 'a' });
        await sleep(10_000);
      },
      'child_changed',
      /had the operation "double"/,
    ],
  ];
  it.each(wrong)('cannot start %s', async (_, body, code, message) => {
    const bed = familyOf(body, { double, triple: double });
    const id = await bed.submit();
    await bed.clock.advance(20_000);
    const { status, error } = await bed.snapshot(id);
    expect({ status, code: error?.code }).toEqual({ status: 'FAILED', code });
    expect(error?.message).toMatch(message);
  });

  it('may give one of a name another input each time: the first counts', async () => {
    const bed = familyOf(
      async ({ start, attempt, sleep }) => {
        const child = await start('double', attempt, { name: 'a' });
        await sleep(10_000);
        return child.result();
      },
      { double },
    );
    const id = await bed.submit();
    await bed.clock.advance(20_000);
    expect(await resultOf(bed, id)).toBe(2);
  });

  it('gives up its place also when one has ended while it kept it', async () => {
    const bed: Bed = familyOf(
      async ({ start, waitFor }) => {
        const child = await start('slow', 500);
        return Promise.all([child.result(), waitFor('go')]);
      },
      { slow: slow(() => bed) },
    );
    const id = await bed.submit();
    await bed.clock.advance(5_000);
    expect(bed.eventTypes(id)).toContain('child_ended');
    expect(recordOf(bed, id)).toMatchObject({ status: 'WAITING', attempt: 1 });
    await bed.handle('POST', `/${id}/signals/go`, { body: 'go' });
    await bed.clock.advance(5_000);
    expect(await resultOf(bed, id)).toEqual(['after 500', 'go']);
  });

  it('is not woken by one that it does not wait for', async () => {
    const bed: Bed = familyOf(
      async ({ start, waitFor }) => {
        await start('slow', 60_000);
        return waitFor('go');
      },
      { slow: slow(() => bed) },
    );
    const id = await bed.submit();
    await bed.clock.advance(120_000);
    expect(childrenOf(bed, id)[0]?.status).toBe('COMPLETED');
    expect(recordOf(bed, id)).toMatchObject({ status: 'WAITING', attempt: 1 });
  });

  it('leaves those alone that still run when it COMPLETED', async () => {
    const bed: Bed = familyOf(
      async ({ start }) => {
        await start('slow', 60_000);
        return 'done';
      },
      { slow: slow(() => bed) },
    );
    const id = await bed.submit();
    await bed.clock.advance(120_000);
    expect(await resultOf(bed, id)).toBe('done');
    expect(childrenOf(bed, id)[0]?.status).toBe('COMPLETED');
  });
});
