import { describe, expect, it } from 'vitest';
import type { DurableError } from '../../src/errors.ts';
import type { OperationOptions } from '../../src/options.ts';
import { memoryData } from '../../src/store/memory-store.ts';
import { HastyClock } from '../support/hasty-clock.ts';
import { jsonOf, openBed, respond, type Bed, type BedOptions } from '../support/bed.ts';

const HOUR_MS = 3_600_000;

/** A bed that notes when its handler was called. */
function bedOf(operation: OperationOptions<string>, options: BedOptions = {}) {
  const startedAt: number[] = [];
  const bed: Bed = openBed(
    async () => {
      startedAt.push(bed.clock.now());
      return respond();
    },
    { ...options, operation },
  );
  return { bed, startedAt };
}

const secondsOf = (headers: Readonly<Record<string, string>>): number =>
  Number(headers['retry-after']);

describe('an operation with startAfterMs', () => {
  it('has its intents wait, says until when, and starts them then', async () => {
    const { bed, startedAt } = bedOf({ startAfterMs: HOUR_MS });
    const begunAt = bed.clock.now();
    const id = await bed.submit();
    const { created_at: createdAt, ...snapshot } = await bed.snapshot(id);
    expect(snapshot).toMatchObject({
      status: 'WAITING',
      waiting_reason: 'WAITING_FOR_TIME',
      seq: 3,
      attempt: 0,
    });
    const startAt = Date.parse(createdAt) + HOUR_MS;
    expect(Date.parse(snapshot.resume_at ?? '')).toBe(startAt);
    await bed.clock.advance(startAt - bed.clock.now() - 1);
    expect(startedAt).toEqual([]);
    await bed.clock.advance(1);
    expect(startedAt).toEqual([startAt]);
    expect(startAt).toBeGreaterThanOrEqual(begunAt + HOUR_MS);
    expect(bed.eventTypes(id)).toEqual([
      'created',
      'submitted',
      'waiting',
      'delivered',
      'in_progress',
      'completed',
    ]);
  });

  it('counts it from the instant of the intent, however much later that is than the request', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const { bed } = bedOf({ startAfterMs: HOUR_MS }, { clock: new HastyClock(seed) });
      const { created_at: createdAt, resume_at: resumeAt } = await bed.snapshot(await bed.submit());
      expect(Date.parse(resumeAt ?? '') - Date.parse(createdAt)).toBe(HOUR_MS);
    }
  });

  it('holds across a restart', async () => {
    const data = memoryData();
    const first = bedOf({ startAfterMs: HOUR_MS }, { data });
    const id = await first.bed.submit();
    await first.bed.clock.resolve(first.bed.api.stop());
    const second = bedOf({}, { data, clock: first.bed.clock });
    await second.bed.clock.advance(HOUR_MS - 1_000);
    expect(second.startedAt).toEqual([]);
    await second.bed.clock.advance(1_000);
    expect((await second.bed.snapshot(id)).status).toBe('COMPLETED');
  });

  it('counts the deadline from the start', async () => {
    const { bed, startedAt } = bedOf({ startAfterMs: 48 * HOUR_MS, deadlineMs: HOUR_MS });
    const id = await bed.submit();
    const { resume_at: resumeAt = '', deadline_at: deadlineAt = '' } = await bed.snapshot(id);
    expect(Date.parse(deadlineAt) - Date.parse(resumeAt)).toBe(HOUR_MS);
    await bed.clock.advance(49 * HOUR_MS);
    expect(startedAt).toHaveLength(1);
  });

  it('can be asked of each request, and an hour later is canceled at once', async () => {
    const { bed, startedAt } = bedOf({
      startAfterMs: (source) => (source === '' ? undefined : Number(source)),
    });
    const now = await bed.submit();
    await bed.clock.advance(0);
    expect((await bed.snapshot(now)).status).toBe('COMPLETED');
    const later = await bed.submit({ source: String(HOUR_MS) });
    expect((await bed.handle('DELETE', `/${later}`)).status).toBe(200);
    await bed.clock.advance(2 * HOUR_MS);
    expect(startedAt).toHaveLength(1);
  });

  it('does not hold who would wait for less long, and says when to come back', async () => {
    const { bed } = bedOf({ startAfterMs: (source) => Number(source) });
    const waiting = { headers: { prefer: 'wait=10' } };
    const before = bed.clock.now();
    const late = await bed.handle('POST', '/', { ...waiting, source: '30000' });
    expect(bed.clock.now() - before).toBeLessThan(1_000);
    expect(late.status).toBe(202);
    expect(secondsOf(late.headers)).toBe(30);
    const veryLate = await bed.handle('POST', '/', { source: String(HOUR_MS) });
    expect(secondsOf(veryLate.headers)).toBe(60);
    const soon = await bed.handle('POST', '/', { ...waiting, source: '2000' });
    expect([soon.status, jsonOf(soon)]).toEqual([200, { done: true }]);
    const replayed = { headers: { prefer: 'wait=10', 'idempotency-key': 'k' }, source: '30000' };
    await bed.handle('POST', '/', replayed);
    const again = await bed.handle('POST', '/', replayed);
    expect([again.status, again.headers['idempotency-replayed']]).toEqual([202, 'true']);
  });
});

describe('an operation with startAt', () => {
  const at = (startAt: unknown): OperationOptions<string> => ({
    // What a request names may be anything.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    startAt: () => startAt as Date,
    startAfterMs: 5_000,
  });

  it.each([
    [new Date(Date.UTC(2026, 5, 1)), '2026-06-01T00:00:00.000Z'],
    [Date.UTC(2026, 5, 1), '2026-06-01T00:00:00.000Z'],
    ['2026-06-01T02:00:00+02:00', '2026-06-01T00:00:00.000Z'],
    ['2026-06-01T00:00Z', '2026-06-01T00:00:00.000Z'],
    [undefined, '2026-01-01T00:00:05.000Z'],
    [null, '2026-01-01T00:00:05.000Z'],
  ])('takes %o', async (given, resumeAt) => {
    const { bed } = bedOf(at(given));
    expect((await bed.snapshot(await bed.submit())).resume_at).toBe(resumeAt);
  });

  it('starts at once what should have started already', async () => {
    const { bed } = bedOf(at('1999-01-01T00:00:00Z'));
    const id = await bed.submit();
    await bed.clock.advance(0);
    expect(bed.eventTypes(id)).not.toContain('waiting');
    expect((await bed.snapshot(id)).status).toBe('COMPLETED');
  });

  it.each([
    'tomorrow',
    '2026-06-01',
    '2026-06-01T00:00:00',
    NaN,
    new Date(NaN),
    {},
    '9999-12-31T00:00:00Z',
  ])('answers 400 to %o, and stores nothing', async (given) => {
    const { bed } = bedOf(at(given));
    const reply = await bed.handle('POST', '/');
    expect(jsonOf(reply)).toMatchObject({ status: 400, code: 'start_invalid' });
    expect(bed.data.entries.size).toBe(0);
  });

  it('says nothing of what its function throws', async () => {
    const { bed } = bedOf({
      startAt: () => {
        throw new Error('a secret');
      },
    });
    const reply = await bed.handle('POST', '/');
    expect(jsonOf(reply)).toMatchObject({ status: 500, code: 'internal_error' });
    expect(String(Buffer.from('body' in reply ? reply.body : ''))).not.toContain('secret');
  });
});

describe('a submit from code', () => {
  const submitted = async (bed: Bed, options: object): Promise<number> => {
    const work = bed.api.intents.submit('reports.generate', {}, options);
    const { record } = await bed.clock.resolve(work);
    return (record.dueAt ?? NaN) - record.createdAt;
  };

  it('says when to start, else the operation does if it needs no request for that', async () => {
    const { bed } = bedOf({ startAfterMs: 7_000, startAt: () => '2030-01-01T00:00:00Z' });
    expect(await submitted(bed, {})).toBe(7_000);
    expect(await submitted(bed, { startAfterMs: 9_000 })).toBe(9_000);
    expect(await submitted(bed, { startAt: new Date(bed.clock.now() + 4_000) })).toBe(4_000);
    const { bed: other } = bedOf({ startAfterMs: () => 7_000 }, { worker: false });
    expect(await submitted(other, {})).toBe(0);
  });

  it('is refused for an instant that is none', async () => {
    const { bed } = bedOf({});
    for (const options of [{ startAfterMs: -1 }, { startAfterMs: NaN }, { startAt: 'soon' }]) {
      const code = await submitted(bed, options).catch((error: DurableError) => error.code);
      expect(code).toBe('start_invalid');
    }
  });
});
