import { describe, expect, it } from 'vitest';
import { AttemptAborted, type AttemptContext } from '../../src/engine/operation.ts';
import { DurableError } from '../../src/errors.ts';
import type { StoredResponse } from '../../src/state/intent.ts';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import { aroundStore } from '../support/around-store.ts';
import { openBed, respond, type Bed } from '../support/bed.ts';
import { callAt, gatedHandler } from '../support/gate.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const LEASE_MS = 15_000;

const recordOf = (bed: Bed, id: string) => {
  const entry = bed.data.entries.get(id);
  if (entry === undefined) throw new Error('The intent is gone.');
  return entry.record;
};

/** Two processes on one store; the first can be cut off from it. */
function openTwo() {
  const data = memoryData();
  const clock = new VirtualClock();
  const first = gatedHandler();
  const second = gatedHandler();
  const link = { isCut: false };
  const store = aroundStore(memoryStore(data), async (_, call) => {
    if (link.isCut) throw new DurableError('store_unavailable', 'Cut off.');
    return call();
  });
  const a = openBed(first.handler, { clock, data, store });
  const b = openBed(second.handler, { clock, data, store: memoryStore(data) });
  return { a, b, first: first.calls, second: second.calls, link, clock, data };
}

describe('a lease', () => {
  it('is renewed at a third of its length, all of a process in one call, while handlers run', async () => {
    const data = memoryData();
    const renewals: number[] = [];
    const clock = new VirtualClock();
    const store = aroundStore(memoryStore(data), async (method, call, request) => {
      if (method === 'renew') renewals.push(Object(request).leases.length);
      return call();
    });
    const { calls, handler } = gatedHandler();
    const bed = openBed(handler, { data, store, clock });
    const ids = [await bed.submit(), await bed.submit(), await bed.submit()];
    await clock.advance(60_000);
    expect(renewals).toEqual(Array.from({ length: 12 }, () => 3));
    expect(calls.length).toBe(3);
    for (const call of calls) call.respond();
    await clock.until(() => ids.every((id) => recordOf(bed, id).status === 'COMPLETED'));
    await clock.advance(60_000);
    expect(renewals.length).toBe(12);
    expect(ids.map((id) => recordOf(bed, id).lostLeases)).toEqual([0, 0, 0]);
  });

  it('that lapsed is claimed by another process within one lease of the crash', async () => {
    const { a, first, second, link, clock } = openTwo();
    const id = await a.submit();
    await clock.until(() => first.length === 1);
    const crashedAt = clock.now();
    link.isCut = true;
    await clock.until(() => second.length === 1);
    expect(clock.now() - crashedAt).toBeLessThanOrEqual(LEASE_MS);
    expect(callAt(second, 0).context.attempt).toBe(2);
    expect(a.eventTypes(id).slice(3)).toEqual(['in_progress', 'delivery_failed', 'in_progress']);
    expect(recordOf(a, id)).toMatchObject({ lostLeases: 1, failures: 0 });
  });

  it('that was lost aborts the signal, and whatever its handler answers is dropped', async () => {
    const { a, b, first, second, link, clock } = openTwo();
    const id = await a.submit();
    link.isCut = true;
    await clock.until(() => second.length === 1);
    expect(callAt(first, 0).context.signal.aborted).toBe(false);
    link.isCut = false;
    await clock.until(() => callAt(first, 0).context.signal.aborted, LEASE_MS / 3);
    const { reason } = callAt(first, 0).context.signal;
    expect(reason).toBeInstanceOf(AttemptAborted);
    expect(reason).toMatchObject({ cause: 'lease_lost' });
    callAt(first, 0).respond(respond('of the first'));
    await clock.advance(100);
    expect(recordOf(a, id).status).toBe('IN_PROGRESS');
    callAt(second, 0).respond(respond('of the second'));
    await clock.until(() => recordOf(b, id).status === 'COMPLETED');
    const result = await a.handle('GET', `/${id}/result`);
    expect(result).toMatchObject({
      status: 200,
      body: new TextEncoder().encode('"of the second"'),
    });
  });

  it('that was lost leaves the attempt alone that has it now, in the same process', async () => {
    const data = memoryData();
    const clock = new VirtualClock();
    const { calls, handler } = gatedHandler();
    const renewals: number[] = [];
    let isRenewing = true;
    const store = aroundStore(memoryStore(data), async (method, call, request) => {
      if (method === 'renew') {
        if (!isRenewing) throw new DurableError('store_unavailable', 'Cut off.');
        renewals.push(Object(request).leases.length);
      }
      return call();
    });
    const id = await openBed(handler, { data, clock, worker: false }).submit();
    const bed = openBed(handler, { data, store, clock });
    isRenewing = false;
    await clock.until(() => calls.length === 2);
    isRenewing = true;
    const [old, current] = [callAt(calls, 0), callAt(calls, 1)];
    expect(old.context.signal.aborted).toBe(true);
    // A report of the old attempt meets the fence; the new one has nothing to do with it.
    old.context.progress(0.5);
    await clock.advance(60_000);
    expect(current.context.signal.aborted).toBe(false);
    expect(calls.length).toBe(2);
    current.respond();
    await clock.until(() => recordOf(bed, id).status === 'COMPLETED');
    expect(recordOf(bed, id)).toMatchObject({ attempt: 2, lostLeases: 1 });
  });

  it('that was lost has no report of its handler stored, also none that was held back', async () => {
    const { a, first, second, link, clock } = openTwo();
    const id = await a.submit();
    callAt(first, 0).context.progress(0.1);
    await clock.advance(50);
    link.isCut = true;
    await clock.until(() => second.length === 1);
    link.isCut = false;
    callAt(first, 0).context.progress(0.2);
    callAt(first, 0).context.progress(0.3);
    await clock.advance(LEASE_MS);
    callAt(first, 0).context.progress(0.4);
    await clock.advance(LEASE_MS);
    expect(recordOf(a, id).progress).toEqual({ fraction: 0.1 });
    expect(a.eventTypes(id).filter((type) => type === 'progress').length).toBe(1);
  });

  it('is not said to be lost to a handler whose response was stored', async () => {
    const data = memoryData();
    const clock = new VirtualClock();
    const { calls, handler } = gatedHandler();
    let release: (() => void) | undefined;
    const store = aroundStore(memoryStore(data), async (method, call) => {
      const answer = await call();
      if (method === 'commit') await new Promise<void>((resolve) => (release = resolve));
      return answer;
    });
    const bed = openBed(handler, { data, store, clock });
    const id = await bed.submit();
    callAt(calls, 0).respond();
    await clock.until(() => recordOf(bed, id).status === 'COMPLETED');
    // The answer to the commit is slow, so the renewal is the first to say that the lease is gone.
    await clock.advance(LEASE_MS);
    release?.();
    await clock.advance(LEASE_MS);
    expect(callAt(calls, 0).context.signal.aborted).toBe(false);
  });

  it.each([0, 1, 5])('may be lost %i times, and then the intent has FAILED', async (most) => {
    const data = memoryData();
    const clock = new VirtualClock();
    const calls: number[] = [];
    const store = aroundStore(memoryStore(data), async (method, call) => {
      if (method === 'renew') throw new DurableError('store_unavailable', 'Cut off.');
      return call();
    });
    const handler = (_: unknown, context: AttemptContext): Promise<StoredResponse> => {
      calls.push(context.attempt);
      return new Promise(() => {});
    };
    const operation = { maxLostLeases: most, retries: 0 };
    const id = await openBed(handler, { data, clock, operation, worker: false }).submit();
    const bed = openBed(handler, { data, store, clock, operation });
    await clock.until(() => recordOf(bed, id).status === 'FAILED');
    expect(calls).toEqual(Array.from({ length: most + 1 }, (_, i) => i + 1));
    expect(recordOf(bed, id)).toMatchObject({
      error: { code: 'crashed', retryable: false },
      failures: 0,
      lostLeases: most + 1,
    });
    await clock.advance(60_000);
    expect(calls.length).toBe(most + 1);
  });
});

describe('a process that was blocked for longer than a lease', () => {
  it('does not take its own work away from itself', async () => {
    const data = memoryData();
    const clock = new VirtualClock();
    const { calls, handler } = gatedHandler();
    let isAway = false;
    const store = aroundStore(memoryStore(data), async (_, call) => {
      if (isAway) throw new DurableError('store_unavailable', 'Away.');
      return call();
    });
    const id = await openBed(handler, { data, clock, worker: false }).submit();
    const bed = openBed(handler, { data, store, clock });
    await clock.until(() => calls.length === 1);
    isAway = true;
    await clock.advance(3 * LEASE_MS);
    isAway = false;
    await clock.advance(LEASE_MS);
    expect(calls.length).toBe(1);
    expect(callAt(calls, 0).context.signal.aborted).toBe(false);
    callAt(calls, 0).respond();
    await clock.until(() => recordOf(bed, id).status === 'COMPLETED');
    expect(recordOf(bed, id)).toMatchObject({ attempt: 1, lostLeases: 0 });
  });
});
