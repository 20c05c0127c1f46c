import { describe, expect, it } from 'vitest';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import { DurableError } from '../../src/errors.ts';
import { aroundStore, type StoreMethod } from '../support/around-store.ts';
import { jsonOf, openBed, plainRequest, respond, type Bed } from '../support/bed.ts';
import { callAt, gatedHandler } from '../support/gate.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const recordOf = (bed: Bed, id: string) => {
  const entry = bed.data.entries.get(id);
  if (entry === undefined) throw new Error('The intent is gone.');
  return entry.record;
};

function openTwo() {
  const data = memoryData();
  const clock = new VirtualClock();
  const [first, second] = [gatedHandler(), gatedHandler()];
  const calls: StoreMethod[] = [];
  const store = aroundStore(memoryStore(data), async (method, call) => {
    calls.push(method);
    return call();
  });
  const a = openBed(first.handler, { clock, data, store });
  const b = openBed(second.handler, { clock, data, store: memoryStore(data) });
  return { a, b, first: first.calls, second: second.calls, clock, calls, data };
}

describe('a process that stops', () => {
  it('lets a handler end within the grace', async () => {
    const { a, first, clock } = openTwo();
    const id = await a.submit();
    const stopping = a.api.stop({ graceMs: 5_000 });
    await clock.advance(4_000);
    expect(callAt(first, 0).context.signal.aborted).toBe(false);
    callAt(first, 0).respond();
    await clock.resolve(stopping, 0);
    expect(recordOf(a, id)).toMatchObject({ status: 'COMPLETED', attempt: 1 });
  });

  it('hands back what has not ended, so that another has it at once and no retry is eaten', async () => {
    const { a, b, first, second, clock } = openTwo();
    const id = await a.submit();
    await clock.advance(1_000);
    const stopping = a.api.stop({ graceMs: 2_000 });
    await clock.advance(1_999);
    expect(callAt(first, 0).context.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(callAt(first, 0).context.signal.reason).toMatchObject({ cause: 'draining' });
    await clock.resolve(stopping, 0);
    await clock.until(() => second.length === 1, 100);
    callAt(second, 0).respond();
    await clock.until(() => recordOf(b, id).status === 'COMPLETED');
    expect(recordOf(b, id)).toMatchObject({ attempt: 2, failures: 0, lostLeases: 0 });
  });

  it('hands back at once with a grace of 0', async () => {
    const { a, first, second, clock } = openTwo();
    await a.submit();
    await clock.resolve(a.api.stop({ graceMs: 0 }), 0);
    expect(callAt(first, 0).context.signal.aborted).toBe(true);
    await clock.until(() => second.length === 1, 100);
  });

  it('drops what a handler answers after its lease was handed back', async () => {
    const { a, b, first, second, clock } = openTwo();
    const id = await a.submit();
    await clock.resolve(a.api.stop({ graceMs: 0 }));
    callAt(first, 0).respond(respond('late'));
    await clock.until(() => second.length === 1);
    expect(recordOf(b, id).status).toBe('IN_PROGRESS');
  });

  it('stores submits while it drains, and leaves their start to another', async () => {
    const { a, b, first, second, clock } = openTwo();
    await a.submit();
    const stopping = a.api.stop({ graceMs: 1_000 });
    const late = await a.submit();
    expect(first.length).toBe(1);
    await clock.until(() => second.length === 1, 100);
    expect(callAt(second, 0).context.intentId).toBe(late);
    await clock.resolve(stopping);
    expect(recordOf(b, late)).toMatchObject({ attempt: 1, lostLeases: 0 });
  });

  it('starts nothing that was claimed or submitted just before', async () => {
    const data = memoryData();
    const clock = new VirtualClock();
    const { calls, handler } = gatedHandler();
    const waiting = openBed(handler, { clock, data, worker: false });
    const claimable = await waiting.submit();
    const held: (() => void)[] = [];
    const store = aroundStore(memoryStore(data), async (method, call) => {
      const answer = await call();
      if (method === 'claim' || method === 'submit') {
        await new Promise<void>((resolve) => held.push(resolve));
      }
      return answer;
    });
    const bed = openBed(handler, { clock, data, store });
    await clock.until(() => held.length === 1);
    // The claim under way keeps all places but takes none: release it, and have an eager submit.
    const stopping = bed.api.stop({ graceMs: 0 });
    held[0]?.();
    await clock.resolve(stopping);
    expect(calls.length).toBe(0);
    expect(recordOf(bed, claimable)).toMatchObject({ holder: null, lostLeases: 0 });
    expect(recordOf(bed, claimable).dueAt).toBeLessThanOrEqual(clock.now());

    const eager = openBed(handler, { clock, data, store, operation: {} });
    await clock.until(() => held.length === 2);
    held[1]?.();
    await clock.until(() => calls.length === 1);
    const submitting = eager.api.handle(eager.operation, plainRequest('POST', '/'));
    await clock.until(() => held.length === 3);
    const draining = eager.api.stop({ graceMs: 0 });
    await clock.advance(10);
    held[2]?.();
    const reply = await clock.resolve(submitting);
    await clock.resolve(draining);
    expect(reply?.status).toBe(202);
    expect(calls.length).toBe(1);
    const holders = [...data.entries.values()].map((entry) => entry.record.holder);
    expect(holders).toEqual([null, null]);
  });

  it('closes the store last, once, and calls it no more', async () => {
    const { a, first, clock, calls } = openTwo();
    await a.submit();
    callAt(first, 0).context.progress(0.1);
    callAt(first, 0).context.progress(0.2);
    await clock.resolve(Promise.all([a.api.stop({ graceMs: 0 }), a.api.stop({ graceMs: 0 })]));
    const before = calls.length;
    expect(calls.filter((method) => method === 'close').length).toBe(1);
    expect(calls.at(-1)).toBe('close');
    callAt(first, 0).context.progress(0.3);
    callAt(first, 0).respond();
    await clock.advance(3_600_000);
    expect(calls.slice(before)).toEqual([]);
  });

  it('closes the store also when the leases could not be handed back', async () => {
    const data = memoryData();
    const clock = new VirtualClock();
    let isAway = false;
    const methods: StoreMethod[] = [];
    const store = aroundStore(memoryStore(data), async (method, call) => {
      methods.push(method);
      if (isAway && method !== 'close') throw new DurableError('store_unavailable', 'Away.');
      return call();
    });
    const { handler, calls } = gatedHandler();
    const bed = openBed(handler, { clock, data, store });
    await bed.submit();
    isAway = true;
    callAt(calls, 0).respond();
    await clock.advance(1_000);
    await clock.resolve(bed.api.stop({ graceMs: 100 }), 200);
    expect(methods.at(-1)).toBe('close');
  });

  it('tells observers when to come back, refuses new ones kindly, and answers waits', async () => {
    const { a, clock } = openTwo();
    const id = await a.submit();
    const sink = await a.observe(id);
    const waiting = a.api.handle(
      a.operation,
      plainRequest('GET', `/${id}`, { headers: { prefer: 'wait=30' } }),
    );
    const submitting = a.api.handle(
      a.operation,
      plainRequest('POST', '/', { headers: { prefer: 'wait=30' } }),
    );
    await clock.advance(100);
    const stopping = a.api.stop({ graceMs: 1_000 });
    expect(sink.state).toBe('ended');
    expect(sink.retries.length).toBe(2);
    expect(sink.retries.at(-1)).toBeGreaterThanOrEqual(1_000);
    const late = await a.observe(id);
    expect(late).toMatchObject({ state: 'ended', events: [] });
    await clock.resolve(stopping, 1_000);
    expect(await clock.resolve(waiting, 0)).toMatchObject({ status: 200 });
    expect(await clock.resolve(submitting, 0)).toMatchObject({ status: 202 });
  });

  it('answers 503 afterwards, and observers with a stream that says when to come back', async () => {
    const { a, clock } = openTwo();
    const id = await a.submit();
    await clock.resolve(a.api.stop({ graceMs: 0 }));
    const reply = await a.handle('POST', '/');
    expect(reply.status).toBe(503);
    expect(jsonOf(reply)).toMatchObject({ code: 'stopping', retryable: true });
    expect(reply.headers['retry-after']).toBe('1');
    const sink = await a.observe(id, { headers: { accept: 'text/event-stream' } });
    expect(sink).toMatchObject({ state: 'ended', events: [] });
    expect(sink.retries.length).toBe(1);
  });

  it('leaves no timer behind', async () => {
    const clock = new VirtualClock();
    const { handler, calls } = gatedHandler();
    const bed = openBed(handler, { clock });
    const id = await bed.submit();
    await bed.observe(id, { query: 'wait_seconds=3600' });
    callAt(calls, 0).context.progress(0.1);
    callAt(calls, 0).context.progress(0.2);
    await clock.resolve(bed.api.stop({ graceMs: 50 }));
    expect(clock.pending).toBe(0);
  });
});
