import { describe, expect, it } from 'vitest';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import { DurableError } from '../../src/errors.ts';
import { aroundStore } from '../support/around-store.ts';
import { openBed, plainRequest, type Bed, type BedOptions } from '../support/bed.ts';
import { callAt, gatedHandler } from '../support/gate.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** Many submits of one tick. */
async function submitMany(bed: Bed, count: number): Promise<void> {
  const replies = Array.from({ length: count }, () =>
    bed.api.handle(bed.operation, plainRequest('POST', '/')),
  );
  await bed.clock.resolve(Promise.all(replies));
}

const ended = (bed: Bed): number =>
  [...bed.data.entries.values()].filter(({ record }) => record.dueAt === null).length;

/** Lets every handler respond, as they come, and tells how many were under way at most. */
async function finishAll(
  bed: Bed,
  calls: ReturnType<typeof gatedHandler>['calls'],
  total: number,
): Promise<number> {
  let most = 0;
  let finished = 0;
  while (finished < total) {
    await bed.clock.until(() => calls.length > finished);
    most = Math.max(most, calls.length - finished);
    callAt(calls, finished).respond();
    finished += 1;
  }
  await bed.clock.until(() => ended(bed) === total);
  return most;
}

describe('the concurrency of a process', () => {
  it.each([1, 3, 100])('is at most %i under many submits of one tick', async (concurrency) => {
    const { calls, handler } = gatedHandler();
    const bed = openBed(handler, { concurrency });
    await submitMany(bed, 150);
    expect(calls.length).toBe(Math.min(concurrency, 150));
    expect(await finishAll(bed, calls, 150)).toBe(Math.min(concurrency, 150));
  });

  it('is not exceeded by submits while a claim is under way', async () => {
    const { calls, handler } = gatedHandler();
    const data = memoryData();
    const options: BedOptions = { data, concurrency: 2 };
    const submitter = openBed(handler, { ...options, worker: false });
    await submitMany(submitter, 10);
    let release: (() => void) | undefined;
    const store = aroundStore(memoryStore(data), async (method, call) => {
      const answer = await call();
      if (method === 'claim' && release === undefined)
        await new Promise<void>((resolve) => (release = resolve));
      return answer;
    });
    const bed = openBed(handler, { ...options, store, clock: submitter.clock });
    await bed.clock.until(() => release !== undefined);
    await submitMany(bed, 5);
    release?.();
    await bed.clock.advance(10);
    expect(calls.length).toBe(2);
    expect(await finishAll(bed, calls, 15)).toBe(2);
  });

  it('is one for an eager start whose submit fails, and none after', async () => {
    const { calls, handler } = gatedHandler();
    const data = memoryData();
    const submitter = openBed(handler, { data, worker: false });
    let fail: (() => void) | undefined;
    const store = aroundStore(memoryStore(data), async (method, call) => {
      if (method !== 'submit' || fail !== undefined) return call();
      await new Promise<void>((_, reject) => {
        fail = () => reject(new DurableError('store_unavailable', 'Away.'));
      });
      return call();
    });
    const bed = openBed(handler, { data, store, concurrency: 1, clock: submitter.clock });
    await bed.clock.resolve(bed.api.ready());
    await bed.clock.advance(0);
    const failing = bed.api.handle(bed.operation, plainRequest('POST', '/'));
    await bed.clock.until(() => fail !== undefined);
    // Its only place is kept for the submit under way, so this one has to wait for it.
    await submitter.submit();
    await bed.clock.advance(100);
    expect(calls.length).toBe(0);
    fail?.();
    expect((await bed.clock.resolve(failing))?.status).toBe(503);
    await bed.clock.until(() => calls.length === 1, 1_000);
  });

  it('leaves nobody behind when more is due than one claim takes', async () => {
    const { calls, handler } = gatedHandler();
    const data = memoryData();
    const submitter = openBed(handler, { data, worker: false });
    await submitMany(submitter, 600);
    const claims: number[] = [];
    const store = aroundStore(memoryStore(data), async (method, call, request) => {
      if (method === 'claim') claims.push(Object(request).limit);
      return call();
    });
    const bed = openBed(handler, { data, store, concurrency: 500, clock: submitter.clock });
    await bed.clock.until(() => calls.length === 500);
    // Each takes half of the room that there is, and so leaves some to submits meanwhile.
    expect(claims).toEqual([250, 125, 63, 31, 16, 8, 4, 2, 1]);
    expect(await finishAll(bed, calls, 600)).toBe(500);
  });

  it('leaves places to submits while a claim is under way', async () => {
    const { calls, handler } = gatedHandler();
    const data = memoryData();
    const clock = new VirtualClock();
    let release: (() => void) | undefined;
    const store = aroundStore(memoryStore(data), async (method, call) => {
      if (method === 'claim') await new Promise<void>((resolve) => (release = resolve));
      return call();
    });
    const bed = openBed(handler, { data, clock, store, concurrency: 4 });
    await clock.until(() => release !== undefined);
    await submitMany(bed, 4);
    expect(calls.length).toBe(2);
    release?.();
    await clock.until(() => calls.length === 4, 100);
  });

  it('is none in a process that does not work', async () => {
    const { calls, handler } = gatedHandler();
    const bed = openBed(handler, { worker: false });
    await submitMany(bed, 3);
    await bed.clock.advance(3_600_000);
    expect(calls.length).toBe(0);
    expect(ended(bed)).toBe(0);
  });
});

it('a place that is left during a claim, of an operation that has no other, is taken at once', async () => {
  const { calls, handler } = gatedHandler();
  const data = memoryData();
  const held = Promise.withResolvers<void>();
  let isHolding = false;
  let isHeld = false;
  const store = aroundStore(memoryStore(data), async (method, call) => {
    if (method === 'claim' && isHolding) {
      isHeld = true;
      await held.promise;
    }
    return call();
  });
  const operation = { concurrency: { perProcess: 1 } };
  const bed = openBed(handler, { data, store, operation });
  // Without another operation nothing would be asked while this one has no room.
  bed.api.declare({ name: 'other', run: handler });
  await bed.submit();
  isHolding = true;
  await bed.submit();
  await bed.clock.until(() => isHeld, 1_000);
  callAt(calls, 0).respond();
  await bed.clock.until(() => ended(bed) === 1, 1_000);
  isHolding = false;
  held.resolve();
  await bed.clock.until(() => calls.length === 2, 1_000);
});
