import { describe, expect, it } from 'vitest';
import { DurableError } from '../../src/errors.ts';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import { aroundStore, type StoreMethod } from '../support/around-store.ts';
import {
  jsonOf,
  openBed,
  plainRequest,
  respond,
  type Bed,
  type BedOptions,
} from '../support/bed.ts';
import { callAt, gatedHandler } from '../support/gate.ts';
import { settled, VirtualClock } from '../support/virtual-clock.ts';

type Fault = 'fail' | 'lose' | 'hang' | null;

const recordOf = (bed: Bed, id: string) => {
  const entry = bed.data.entries.get(id);
  if (entry === undefined) throw new Error('The intent is gone.');
  return entry.record;
};

/** A process whose store has the fault that the test wants, call by call. */
function openFaulty(options: BedOptions = {}) {
  const data = memoryData();
  const clock = new VirtualClock();
  const faults = new Map<StoreMethod, Fault>();
  const link: { fault: Fault; calls: StoreMethod[] } = { fault: null, calls: [] };
  const store = aroundStore(memoryStore(data), async (method, call) => {
    link.calls.push(method);
    const fault = faults.get(method) ?? link.fault;
    if (fault === 'hang') return new Promise(() => {});
    if (fault === 'fail') throw new DurableError('store_unavailable', 'Away.');
    const answer = await call();
    if (fault === 'lose') throw new DurableError('store_unavailable', 'The answer was lost.');
    return answer;
  });
  const { calls, handler } = gatedHandler();
  const bed = openBed(handler, { data, clock, store, random: () => 0.5, ...options });
  return { bed, clock, data, faults, link, calls };
}

describe('a submit while the store is away', () => {
  it('is answered 503 with a Retry-After, at once when the store says so', async () => {
    const { bed, link } = openFaulty();
    link.fault = 'fail';
    const reply = await bed.handle('POST', '/');
    expect(reply.status).toBe(503);
    expect(reply.headers['retry-after']).toBe('1');
    expect(jsonOf(reply)).toMatchObject({ code: 'store_unavailable', retryable: true });
  });

  it.each([
    ['before it is open', 0],
    ['once it is open', 10],
  ])('is answered within storeTimeoutMs when it says nothing, %s', async (_, afterMs) => {
    const { bed, clock, link } = openFaulty({ storeTimeoutMs: 700 });
    if (afterMs === 0) link.fault = 'hang';
    await clock.advance(afterMs);
    link.fault = 'hang';
    const begun = clock.now();
    const replies = await Promise.all([
      bed.handle('POST', '/'),
      bed.handle('GET', '/01890000-0000-7000-8000-000000000001'),
      bed.handle('GET', '/01890000-0000-7000-8000-000000000001/result'),
      bed.handle('DELETE', '/01890000-0000-7000-8000-000000000001'),
    ]);
    expect(clock.now() - begun).toBe(700);
    for (const reply of replies) {
      expect(reply.status).toBe(503);
      expect(jsonOf(reply)).toMatchObject({ code: 'store_unavailable' });
    }
  });

  it('is worked on all the same when it was stored and only the answer was lost', async () => {
    for (const worker of [true, false]) {
      const { bed, clock, data, faults, calls } = openFaulty(worker ? {} : { concurrency: 1 });
      await clock.advance(10);
      if (!worker) await bed.submit();
      faults.set('submit', 'lose');
      expect((await bed.handle('POST', '/')).status).toBe(503);
      faults.clear();
      const [stored] = [...data.entries.values()].slice(-1);
      expect(stored?.record.status).toBe(worker ? 'IN_PROGRESS' : 'SUBMITTED');
      if (!worker) callAt(calls, 0).respond();
      await clock.until(() => calls.length === (worker ? 1 : 2), 16_000);
      calls.at(-1)?.respond();
      await clock.until(() => [...data.entries.values()].every((e) => e.record.dueAt === null));
    }
  });

  it('makes one intent when it is repeated with its key after the answer was lost', async () => {
    const { bed, clock, data, faults, calls } = openFaulty();
    await clock.advance(10);
    faults.set('submit', 'lose');
    const headers = { 'idempotency-key': 'k-1' };
    expect((await bed.handle('POST', '/', { headers })).status).toBe(503);
    faults.clear();
    const again = await bed.handle('POST', '/', { headers });
    expect(again).toMatchObject({ status: 202, headers: { 'idempotency-replayed': 'true' } });
    expect(data.entries.size).toBe(1);
    await clock.until(() => calls.length === 1, 16_000);
  });

  it('waits with a bounded number of others', async () => {
    const { bed, clock, link } = openFaulty({ limits: { maxPendingSubmits: 3 } });
    await clock.advance(10);
    link.fault = 'hang';
    const replies = Array.from({ length: 5 }, () =>
      bed.api.handle(bed.operation, plainRequest('POST', '/')),
    );
    await settled();
    const [, , , fourth, fifth] = replies;
    for (const reply of [await fourth, await fifth]) {
      expect(reply?.status).toBe(503);
      expect(reply && jsonOf(reply)).toMatchObject({ code: 'overloaded', retryable: true });
    }
    await clock.resolve(Promise.all(replies));
  });

  it('does not wake the store more often the more submits have failed', async () => {
    const { bed, clock, link } = openFaulty();
    link.fault = 'fail';
    for (let i = 0; i < 20; i += 1) await bed.handle('POST', '/');
    link.calls.length = 0;
    await clock.advance(10_000);
    expect(link.calls.filter((method) => method === 'migrate').length).toBeLessThanOrEqual(10);
    link.fault = null;
    await clock.advance(1_000);
    await bed.submit();
  });
});

describe('an attempt while the store is away', () => {
  it('keeps its response and stores it when the store is back', async () => {
    const { bed, clock, link, calls } = openFaulty();
    const id = await bed.submit();
    link.fault = 'fail';
    callAt(calls, 0).respond(respond('kept'));
    await clock.advance(60_000);
    expect(recordOf(bed, id).status).toBe('IN_PROGRESS');
    link.fault = null;
    await clock.until(() => recordOf(bed, id).status === 'COMPLETED', 1_000);
    expect(calls.length).toBe(1);
    const reply = await bed.handle('GET', `/${id}/result`);
    expect(reply).toMatchObject({ status: 200, body: new TextEncoder().encode('"kept"') });
    expect(recordOf(bed, id)).toMatchObject({ attempt: 1, lostLeases: 0 });
  });

  it('keeps its response also when its start could not be written', async () => {
    const { bed, clock, data, faults, calls } = openFaulty();
    const id = await openBed(async () => respond(), { clock, data, worker: false }).submit();
    faults.set('commit', 'fail');
    await clock.until(() => calls.length === 1);
    await clock.advance(1_000);
    callAt(calls, 0).respond();
    await clock.advance(1_000);
    faults.clear();
    await clock.until(() => recordOf(bed, id).status === 'COMPLETED', 1_000);
    expect(calls.length).toBe(1);
    expect(bed.eventTypes(id)).toEqual([
      'created',
      'submitted',
      'delivered',
      'in_progress',
      'completed',
    ]);
  });

  it('keeps its response when only the write of its start failed, long before', async () => {
    const { bed, clock, data, faults, calls } = openFaulty();
    const id = await openBed(async () => respond(), { clock, data, worker: false }).submit();
    faults.set('commit', 'fail');
    await clock.until(() => calls.length === 1);
    faults.clear();
    callAt(calls, 0).respond();
    await clock.until(() => recordOf(bed, id).status === 'COMPLETED', 1_000);
    expect(recordOf(bed, id).attempt).toBe(1);
  });

  it('is shown as in progress soon after the store is back', async () => {
    const { bed, clock, data, faults, calls } = openFaulty();
    const id = await openBed(async () => respond(), { clock, data, worker: false }).submit();
    faults.set('commit', 'fail');
    await clock.until(() => calls.length === 1);
    await clock.advance(3_000);
    faults.clear();
    await clock.until(() => recordOf(bed, id).status === 'IN_PROGRESS', 1_000);
    callAt(calls, 0).context.progress(0.5);
    await clock.until(() => recordOf(bed, id).progress?.fraction === 0.5, 1_000);
  });

  it('counts once when the answer to its start was lost', async () => {
    const { bed, clock, data, faults, calls } = openFaulty();
    const id = await openBed(async () => respond(), { clock, data, worker: false }).submit();
    faults.set('commit', 'lose');
    await clock.until(() => calls.length === 1);
    faults.clear();
    await clock.advance(5_000);
    callAt(calls, 0).respond();
    await clock.until(() => recordOf(bed, id).status === 'COMPLETED', 1_000);
    expect(recordOf(bed, id)).toMatchObject({ attempt: 1, seq: 5 });
  });

  it('has its retry started in time when the answer to its failure was lost', async () => {
    const { bed, clock, faults, calls } = openFaulty();
    const id = await bed.submit();
    faults.set('commit', 'lose');
    callAt(calls, 0).fail(new Error('It broke.'));
    await clock.advance(10);
    faults.clear();
    expect(recordOf(bed, id).status).toBe('WAITING');
    await clock.until(() => calls.length === 2, 1_500);
    expect(recordOf(bed, id)).toMatchObject({ failures: 1, lostLeases: 0 });
  });

  it('ends by its deadline when the store is back only after that', async () => {
    const { bed, clock, link, calls } = openFaulty({ operation: { deadlineMs: 5_000 } });
    const id = await bed.submit();
    link.fault = 'fail';
    await clock.advance(60_000);
    expect(callAt(calls, 0).context.signal.reason).toMatchObject({ cause: 'deadline' });
    link.fault = null;
    await clock.until(() => recordOf(bed, id).status === 'TIMED_OUT', 1_000);
  });
});

describe('a process whose store was away', () => {
  it('goes on without a restart', async () => {
    const { bed, clock, data, link, calls } = openFaulty();
    await clock.advance(100);
    link.fault = 'fail';
    await clock.advance(600_000);
    link.fault = null;
    const waiting = await openBed(async () => respond(), { clock, data, worker: false }).submit();
    await clock.until(() => calls.length === 1, 1_000);
    callAt(calls, 0).respond();
    await clock.until(() => recordOf(bed, waiting).status === 'COMPLETED');
    await bed.submit();
    expect(calls.length).toBe(2);
  });

  it('opens it by itself when it was away at the start', async () => {
    const { bed, clock, data, link, calls } = openFaulty();
    link.fault = 'fail';
    await clock.advance(30_000);
    const id = await openBed(async () => respond(), { clock, data, worker: false }).submit();
    expect(calls.length).toBe(0);
    link.fault = null;
    await clock.until(() => calls.length === 1, 1_600);
    expect(callAt(calls, 0).context.intentId).toBe(id);
    await bed.submit();
  });

  it('does not ask a store that is still being opened for what is due', async () => {
    const data = memoryData();
    const clock = new VirtualClock();
    const calls: StoreMethod[] = [];
    let open: (() => void) | undefined;
    const store = aroundStore(memoryStore(data), async (method, call) => {
      calls.push(method);
      if (method === 'migrate') await new Promise<void>((resolve) => (open = resolve));
      return call();
    });
    const bed = openBed(async () => respond(), { data, clock, store });
    await clock.advance(10);
    bed.api.declare({ name: 'another', run: async () => respond() });
    await clock.advance(10);
    expect(calls).toEqual(['migrate']);
    open?.();
    await clock.advance(10);
    // And for the schedules that were declared before.
    expect(calls.toSorted()).toEqual(['claim', 'get', 'list', 'migrate']);
  });

  it('is told of it by nothing worse than a rejected request', async () => {
    const { bed, clock, link, calls } = openFaulty();
    const id = await bed.submit();
    const sink = await bed.observe(id);
    link.fault = 'fail';
    callAt(calls, 0).context.progress(0.5);
    const cancel = await bed.handle('DELETE', `/${id}`);
    expect(cancel.status).toBe(503);
    await clock.advance(60_000);
    expect(sink.state).toBe('open');
    link.fault = null;
    callAt(calls, 0).respond();
    await clock.until(() => sink.state === 'ended', 1_000);
    expect(sink.seqs).toEqual(sink.seqs.map((_, i) => i + 1));
    expect(sink.events.at(-1)?.status).toBe('COMPLETED');
  });
});
