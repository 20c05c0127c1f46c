import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { WaitTimeoutError } from '../../src/errors.ts';
import { memoryData } from '../../src/store/memory-store.ts';
import { jsonOf, type Bed } from '../support/bed.ts';
import { bedOf, detailsOf, resultOf, type Body } from '../support/handled.ts';

const HOUR_MS = 3_600_000;

async function send(bed: Bed, id: string, name: string, body?: unknown, key?: string) {
  const headers = key === undefined ? {} : { 'idempotency-key': key };
  const reply = await bed.handle('POST', `/${id}/signals/${name}`, { body, headers });
  return { status: reply.status, headers: reply.headers, json: jsonOf(reply) };
}

describe('a handler that waits for a signal', () => {
  it('gives up its place, says for what it waits, and goes on with what came', async () => {
    const bed = bedOf(
      async ({ waitFor, step }) => {
        await step('ask', () => null);
        return waitFor('approved', { task: { title: 'Approve it' }, timeoutMs: HOUR_MS });
      },
      { concurrency: 1 },
    );
    const id = await bed.submit();
    await bed.clock.advance(10);
    expect(await bed.snapshot(id)).toMatchObject({
      status: 'WAITING',
      waiting_reason: 'WAITING_FOR_HUMAN',
    });
    expect(detailsOf(bed, id, 'waiting')).toMatchObject([
      { signals: [{ name: 'approved', task: { title: 'Approve it' } }] },
    ]);
    await bed.clock.advance(60_000);
    const sent = await send(bed, id, 'approved', { by: 'ann' });
    expect(sent).toMatchObject({
      status: 202,
      json: { ok: true, intent_id: id, signal: 'approved', seq: 7 },
    });
    await bed.clock.advance(10);
    expect(await resultOf(bed, id)).toEqual({ by: 'ann' });
    expect(JSON.stringify(detailsOf(bed, id, 'signal'))).not.toContain('ann');
  });

  it('is given what came before it waited, in the order in which it came, each once', async () => {
    const gate = Promise.withResolvers<void>();
    const bed = bedOf(async ({ waitFor, step }) => {
      await step('gate', () => gate.promise);
      return [await waitFor('n'), await waitFor('other'), await waitFor('n'), await waitFor('n')];
    });
    const id = await bed.submit();
    for (const n of [1, 2]) await send(bed, id, 'n', n);
    await send(bed, id, 'other', 'x');
    gate.resolve();
    await bed.clock.advance(10_000);
    expect((await bed.snapshot(id)).status).toBe('WAITING');
    await send(bed, id, 'n', 3);
    await bed.clock.advance(10_000);
    expect(await resultOf(bed, id)).toEqual([1, 'x', 2, 3]);
  });

  it('is given a signal once per idempotency key', async () => {
    const bed = bedOf(async ({ waitFor }) => [await waitFor('n'), await waitFor('n')]);
    const id = await bed.submit();
    await bed.clock.advance(10);
    const first = await send(bed, id, 'n', { n: 1 }, 'a');
    const again = await send(bed, id, 'n', { n: 1 }, 'a');
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.json).toEqual(first.json);
    expect(again.headers).toMatchObject({ 'idempotency-replayed': 'true' });
    expect(await send(bed, id, 'n', { n: 2 }, 'a')).toMatchObject({
      status: 422,
      json: { code: 'idempotency_key_reused' },
    });
    await bed.clock.advance(1_000);
    expect((await bed.snapshot(id)).status).toBe('WAITING');
    await send(bed, id, 'n', { n: 2 }, 'b');
    await bed.clock.advance(1_000);
    expect(await resultOf(bed, id)).toEqual([{ n: 1 }, { n: 2 }]);
    // Also when nobody can take it any more.
    expect((await send(bed, id, 'n', { n: 1 }, 'a')).json).toEqual(first.json);
    expect(await send(bed, id, 'n', 3)).toMatchObject({
      status: 409,
      json: { code: 'intent_terminal' },
    });
  });

  it('waits side by side for several', async () => {
    const bed = bedOf(({ waitFor }) => Promise.all([waitFor('a'), waitFor('b'), waitFor('c')]));
    const id = await bed.submit();
    for (const name of ['b', 'a', 'c']) {
      await bed.clock.advance(10_000);
      expect((await bed.snapshot(id)).status).toBe('WAITING');
      await send(bed, id, name, name);
    }
    await bed.clock.advance(10_000);
    expect(await resultOf(bed, id)).toEqual(['a', 'b', 'c']);
  });

  it('gets a signal while a step runs beside it', async () => {
    const got: unknown[] = [];
    const bed = bedOf(async ({ waitFor, step }) => {
      const beside = step(
        'beside',
        () => new Promise<void>((r) => bed.clock.setTimeout(r, 60_000)),
      );
      got.push(await waitFor('a'));
      await beside;
    });
    const id = await bed.submit();
    await bed.clock.advance(1_000);
    await send(bed, id, 'a', 'early');
    await bed.clock.advance(1_000);
    expect(got).toEqual(['early']);
    await bed.clock.advance(60_000);
    expect((await bed.snapshot(id)).attempt).toBe(1);
  });

  it('survives a restart, and a signal that came in between', async () => {
    const data = memoryData();
    const body: Body = ({ waitFor }) => waitFor('a');
    const first = bedOf(body, { data });
    const id = await first.submit();
    await first.clock.advance(10);
    await first.clock.resolve(first.api.stop());
    const { clock } = first;
    const observer = bedOf(body, { data, clock, worker: false });
    await send(observer, id, 'a', 'between');
    await clock.advance(1_000);
    expect((await observer.snapshot(id)).status).toBe('WAITING');
    const second = bedOf(body, { data, clock });
    await clock.advance(1_000);
    expect(await resultOf(second, id)).toBe('between');
  });

  it('is told when none came in time, and a later one belongs to a later wait', async () => {
    const bed = bedOf(async ({ waitFor }) => {
      const first = await waitFor('a', { timeoutMs: HOUR_MS }).catch((error: unknown) => {
        if (!(error instanceof WaitTimeoutError)) throw error;
        return error.message;
      });
      return [first, await waitFor('a')];
    });
    const id = await bed.submit();
    await bed.clock.advance(HOUR_MS + 1_000);
    expect((await bed.snapshot(id)).status).toBe('WAITING');
    await send(bed, id, 'a', 'late');
    await bed.clock.advance(1_000);
    expect(await resultOf(bed, id)).toEqual([`No signal "a" came within ${HOUR_MS} ms.`, 'late']);
  });

  it('has failed for good when it lets that pass', async () => {
    const bed = bedOf(({ waitFor }) => waitFor('a', { timeoutMs: 5_000 }));
    const id = await bed.submit();
    await bed.clock.advance(10_000);
    expect(await bed.snapshot(id)).toMatchObject({
      status: 'FAILED',
      error: { code: 'wait_timeout', retryable: false },
    });
  });

  it('is not woken from its backoff by a signal', async () => {
    const runs: number[] = [];
    const bed = bedOf(
      async ({ waitFor, attempt }) => {
        runs.push(attempt);
        await waitFor('a');
        throw new Error('Not now.');
      },
      { random: () => 0.999, operation: { backoff: { baseMs: 60_000, maxMs: 60_000 } } },
    );
    const id = await bed.submit();
    await bed.clock.advance(10);
    await send(bed, id, 'a');
    await bed.clock.advance(1_000);
    expect(runs).toEqual([1, 2]);
    await send(bed, id, 'a');
    await bed.clock.advance(50_000);
    expect(runs).toEqual([1, 2]);
    await bed.clock.advance(15_000);
    expect(runs).toEqual([1, 2, 3]);
  });

  it('may wait for ever', async () => {
    const bed = bedOf(({ waitFor }) => waitFor('a'), { operation: { deadlineMs: null } });
    const id = await bed.submit();
    await bed.clock.advance(10);
    expect((await bed.snapshot(id)).resume_at).toBeUndefined();
    await bed.clock.advance(400 * 24 * HOUR_MS);
    expect((await bed.snapshot(id)).attempt).toBe(1);
    await send(bed, id, 'a', 1);
    await bed.clock.advance(100);
    expect(await resultOf(bed, id)).toBe(1);
  });

  it('is woken in whichever process it can run', async () => {
    const data = memoryData();
    const body: Body = ({ waitFor }) => waitFor('a');
    const one = bedOf(body, { data });
    const id = await one.submit();
    await one.clock.advance(10);
    const other = bedOf(body, { data, clock: one.clock, worker: false });
    await send(other, id, 'a', 'from elsewhere');
    await one.clock.advance(1_000);
    expect(await resultOf(one, id)).toBe('from elsewhere');
  });
});

describe('a race', () => {
  const decide =
    (log: unknown[]): Body =>
    async ({ waitFor, sleep, step }) => {
      const first = await Promise.race([
        waitFor('approved'),
        sleep(24 * HOUR_MS).then(() => 'too late'),
      ]);
      log.push(first);
      await step('told', () => first);
      await sleep(72 * HOUR_MS);
      return first;
    };

  it('of a signal with a sleep that is won by the signal stays so when the sleep is over', async () => {
    const log: unknown[] = [];
    const bed = bedOf(decide(log), { operation: { deadlineMs: null } });
    const id = await bed.submit();
    await bed.clock.advance(HOUR_MS);
    await send(bed, id, 'approved', 'yes');
    await bed.clock.advance(100 * HOUR_MS);
    expect(await resultOf(bed, id)).toBe('yes');
    expect(new Set(log)).toEqual(new Set(['yes']));
  });

  it('that is won by the sleep stays so when the signal comes after all', async () => {
    const log: unknown[] = [];
    const bed = bedOf(decide(log), { operation: { deadlineMs: null } });
    const id = await bed.submit();
    await bed.clock.advance(25 * HOUR_MS);
    await send(bed, id, 'approved', 'yes');
    await bed.clock.advance(100 * HOUR_MS);
    expect(await resultOf(bed, id)).toBe('too late');
    expect(new Set(log)).toEqual(new Set(['too late']));
  });
});

describe('a schema', () => {
  const schema = z.object({ approved: z.boolean(), note: z.string().default('none') });

  it('checks what came; what it refuses is shown, and waited for again', async () => {
    const checked: unknown[] = [];
    const watched = schema.transform((value) => (checked.push(value), value));
    const bed = bedOf(async ({ waitFor }) => [
      await waitFor('decision', { schema: watched }),
      await waitFor('more'),
    ]);
    const id = await bed.submit();
    await bed.clock.advance(10);
    const sent = await send(bed, id, 'decision', { approved: 'yes' });
    const { seq } = z.object({ seq: z.number() }).parse(sent.json);
    await bed.clock.advance(5_000);
    expect((await bed.snapshot(id)).status).toBe('WAITING');
    await send(bed, id, 'decision', { approved: true });
    await bed.clock.advance(5_000);
    await send(bed, id, 'more', 1);
    await bed.clock.advance(5_000);
    expect(await resultOf(bed, id)).toEqual([{ approved: true, note: 'none' }, 1]);
    const refused = detailsOf(bed, id, 'signal').filter((d) => Object.hasOwn(Object(d), 'refused'));
    expect(refused).toMatchObject([
      { name: 'decision', refused: seq, issues: [expect.any(String)] },
    ]);
  });

  it('that throws fails the attempt', async () => {
    const broken = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: (): never => {
          throw new Error('Broken schema.');
        },
      },
    };
    const bed = bedOf(({ waitFor }) => waitFor('a', { schema: broken }), {
      operation: { retries: 0 },
    });
    const id = await bed.submit();
    await send(bed, id, 'a', 1);
    await bed.clock.advance(5_000);
    expect((await bed.snapshot(id)).error?.message).toBe('Broken schema.');
  });
});

describe('a person who is waited for', () => {
  it('is reminded, and somebody else is told in the end, without the handler', async () => {
    const runs: number[] = [];
    const task = { title: 'Approve it', url: '/approvals/1' };
    const bed = bedOf(async ({ waitFor, attempt }) => {
      runs.push(attempt);
      return waitFor('approved', { task, remindEveryMs: HOUR_MS, escalateAfterMs: 2.5 * HOUR_MS });
    });
    const id = await bed.submit();
    await bed.clock.advance(4.5 * HOUR_MS);
    expect(bed.eventTypes(id).slice(4)).toEqual([
      'waiting',
      'reminder',
      'reminder',
      'escalated',
      'reminder',
      'reminder',
    ]);
    expect(detailsOf(bed, id, 'reminder')[0]).toEqual({ signal: 'approved', task });
    expect(detailsOf(bed, id, 'escalated')).toEqual([{ signal: 'approved', task }]);
    expect(runs).toEqual([1]);
    expect(await bed.snapshot(id)).toMatchObject({
      status: 'WAITING',
      waiting_reason: 'WAITING_FOR_HUMAN',
    });
    await send(bed, id, 'approved', 'yes');
    await bed.clock.advance(1_000);
    expect(await resultOf(bed, id)).toBe('yes');
    expect(runs).toEqual([1, 2]);
  });

  it('is not reminded anew by a handler that was woken by something else', async () => {
    const bed = bedOf(({ waitFor }) =>
      Promise.all([
        waitFor('a', { task: {}, remindEveryMs: HOUR_MS, escalateAfterMs: HOUR_MS }),
        waitFor('b'),
      ]),
    );
    const id = await bed.submit();
    await bed.clock.advance(1.5 * HOUR_MS);
    await send(bed, id, 'b');
    await bed.clock.advance(0.4 * HOUR_MS);
    expect(
      bed.eventTypes(id).filter((type) => type === 'reminder' || type === 'escalated'),
    ).toEqual(['reminder', 'escalated']);
    await bed.clock.advance(0.2 * HOUR_MS);
    expect(detailsOf(bed, id, 'reminder')).toHaveLength(2);
  });

  it('lets who submitted with Prefer: wait go at once', async () => {
    const bed = bedOf(({ waitFor }) => waitFor('approved', { reason: 'WAITING_FOR_HUMAN' }));
    const startedAt = bed.clock.now();
    const reply = await bed.handle('POST', '/', { headers: { prefer: 'wait=30' } });
    expect(reply.status).toBe(202);
    expect(bed.clock.now() - startedAt).toBeLessThan(1_000);
  });
});

describe('a signal', () => {
  it.each([['%20'], ['-a'], ['a'.repeat(101)], ['']])('cannot be called "%s"', async (name) => {
    const bed = bedOf(({ waitFor }) => waitFor('a'));
    const id = await bed.submit();
    expect(await send(bed, id, name)).toMatchObject({
      status: 400,
      json: { code: 'signal_name_invalid' },
    });
    await expect(bed.api.intents.signal(id, name)).rejects.toMatchObject({
      code: 'signal_name_invalid',
    });
  });

  it('can be sent from code, and to nobody else’s intent', async () => {
    const bed = bedOf(({ waitFor }) => waitFor('a'));
    const id = await bed.submit();
    await bed.clock.advance(10);
    const { intents } = bed.api;
    const other = { owner: 'somebody else' };
    await expect(intents.signal(id, 'a', 1, other)).rejects.toMatchObject({
      code: 'intent_not_found',
    });
    const seq = await bed.clock.resolve(
      intents.signal(id, 'a', 1, { actor: 'ann', idempotencyKey: 'k' }),
    );
    expect(await bed.clock.resolve(intents.signal(id, 'a', 1, { idempotencyKey: 'k' }))).toBe(seq);
    await bed.clock.advance(10);
    expect(await resultOf(bed, id)).toBe(1);
  });

  it('is refused when an intent has too many', async () => {
    const bed = bedOf(({ waitFor }) => waitFor('a'), { limits: { maxEventCount: 20 } });
    const id = await bed.submit();
    await bed.clock.advance(10);
    for (let i = 0; i < 5; i += 1) await send(bed, id, 'b', i);
    expect(await send(bed, id, 'b')).toMatchObject({ status: 409, json: { code: 'signals_full' } });
  });

  it('is refused when an intent has too much of them, and not when it has come before', async () => {
    const bed = bedOf(({ waitFor }) => waitFor('a'), { limits: { maxSignalBytes: 2_000 } });
    const id = await bed.submit();
    await bed.clock.advance(10);
    expect(await send(bed, id, 'b', 'x'.repeat(1_500), 'k')).toMatchObject({ status: 202 });
    const full = { status: 409, json: { code: 'signals_full' } };
    expect(await send(bed, id, 'b', 'x'.repeat(1_000))).toMatchObject(full);
    expect(await send(bed, id, 'b', 'x'.repeat(1_500), 'k')).toMatchObject({ status: 202 });
    expect(await send(bed, id, 'a', 'x')).toMatchObject({ status: 202 });
    await bed.clock.advance(10);
    expect(await resultOf(bed, id)).toBe('x');
  });
});

describe('a wait that cannot work', () => {
  it.each<[string, string, Body]>([
    ['for a name with blanks', 'wait_invalid', ({ waitFor }) => waitFor('a b')],
    ['with a negative timeout', 'wait_invalid', ({ waitFor }) => waitFor('a', { timeoutMs: -1 })],
    [
      'with reminders all the time',
      'wait_invalid',
      ({ waitFor }) => waitFor('a', { remindEveryMs: 10 }),
    ],
    [
      'with a task that is too long',
      'wait_invalid',
      ({ waitFor }) => waitFor('a', { task: { x: 'x'.repeat(20_000) } }),
    ],

    [
      'for nobody that there is',
      'wait_invalid',
      // @ts-expect-error Not everybody has types.
      ({ waitFor }) => waitFor('a', { reason: 'WAITING_FOR_GODOT' }),
    ],
    // @ts-expect-error Not everybody has types.
    ['with no schema', 'wait_invalid', ({ waitFor }) => waitFor('a', { schema: {} })],
    ['in a step', 'step_nested', ({ step, waitFor }) => step('s', () => waitFor('a'))],
  ])('%s fails the intent at once', async (_, code, body) => {
    const bed = bedOf(body);
    const id = await bed.submit();
    await bed.clock.advance(1_000);
    expect((await bed.snapshot(id)).error).toMatchObject({ code, retryable: false });
  });
});
