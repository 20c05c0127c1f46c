import { describe, expect, it } from 'vitest';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import { aroundStore, type StoreMethod } from '../support/around-store.ts';
import { openBed, respond, type BedOptions } from '../support/bed.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const DAY_MS = 86_400_000;

function openCounted(options: BedOptions = {}, shared = false, watches = true) {
  const calls: StoreMethod[] = [];
  const data = memoryData();
  const clock = new VirtualClock();
  const store = aroundStore(
    memoryStore(data),
    (method, call) => {
      calls.push(method);
      return call();
    },
    { shared, watches },
  );
  const bed = openBed(async () => respond(), { data, clock, store, ...options });
  return { bed, calls, data, clock };
}

describe('an idle process', () => {
  it('asks the store for nothing and has no timer', async () => {
    const { bed, calls, clock } = openCounted();
    const id = await bed.submit();
    await clock.until(() => bed.data.entries.get(id)?.record.dueAt === null);
    await clock.advance(15_000);
    calls.length = 0;
    await clock.advance(60_000);
    expect(calls).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('asks for nothing until what is due next is due', async () => {
    const { calls, data, clock, bed } = openCounted();
    const broken = openBed(
      async () => {
        throw new Error('It broke.');
      },
      { data, clock, operation: { backoff: { baseMs: 40_000 } }, random: () => 0.5 },
    );
    const id = await broken.submit();
    await clock.until(() => data.entries.get(id)?.record.status === 'WAITING');
    await clock.resolve(broken.api.stop());
    await clock.advance(100);
    calls.length = 0;
    await clock.advance(19_800);
    expect(calls).toEqual([]);
    await clock.advance(200);
    expect(calls).toContain('claim');
    await bed.clock.until(() => data.entries.get(id)?.record.status === 'COMPLETED');
  });

  it('looks every pollMs where the store does not report what others write', async () => {
    const { calls, clock, bed } = openCounted({ pollMs: 5_000 }, true, false);
    await clock.advance(100);
    calls.length = 0;
    await clock.advance(60_000);
    expect(calls).toEqual(Array.from({ length: 12 }, () => 'claim'));
    await clock.resolve(bed.api.stop());
    calls.length = 0;
    await clock.advance(60_000);
    expect(calls).toEqual([]);
  });

  it('makes few claims of many hints', async () => {
    const { calls, clock, data } = openCounted();
    await clock.advance(1_000);
    calls.length = 0;
    const other = openBed(async () => respond(), { data, clock, worker: false });
    for (let i = 0; i < 100; i += 1) {
      await other.submit();
      await clock.advance(1);
    }
    await clock.until(() => data.live.size === 0, 1_000);
    const claims = calls.filter((method) => method === 'claim').length;
    expect(claims).toBeLessThanOrEqual(12);
    expect(claims).toBeGreaterThanOrEqual(1);
  });

  it('writes what is submitted in one moment in few calls', async () => {
    const { bed, calls, clock } = openCounted({ concurrency: 1_000 });
    await clock.advance(10);
    calls.length = 0;
    await Promise.all(Array.from({ length: 200 }, () => bed.submit()));
    await clock.until(() => bed.data.live.size === 0);
    expect(calls.filter((method) => method === 'submit').length).toBeLessThanOrEqual(3);
    expect(calls.filter((method) => method === 'commit').length).toBeLessThanOrEqual(4);
    expect(calls).not.toContain('claim');
  });
});

describe('the retention', () => {
  it('rides on the end of intents, once a minute at most', async () => {
    const { bed, calls, clock, data } = openCounted({ retention: { endedMs: DAY_MS } });
    const old = await bed.submit();
    await clock.advance(100);
    const keyed = await bed.submit({ headers: { 'idempotency-key': 'k' } });
    await clock.advance(2 * DAY_MS);
    calls.length = 0;
    for (let i = 0; i < 5; i += 1) {
      await bed.submit();
      await clock.advance(1_000);
    }
    expect(calls.filter((method) => method === 'prune').length).toBe(1);
    expect(data.entries.has(old)).toBe(false);
    expect(data.entries.has(keyed)).toBe(false);
    calls.length = 0;
    await clock.advance(10 * DAY_MS);
    expect(calls).toEqual([]);
  });

  it('keeps an intent with a key for as long as the key must be known', async () => {
    const { bed, clock, data } = openCounted({
      retention: { endedMs: 60_000, idempotencyMs: DAY_MS },
    });
    const keyed = await bed.submit({ headers: { 'idempotency-key': 'k' } });
    await clock.advance(DAY_MS / 2);
    await bed.submit();
    await clock.advance(100);
    expect(data.entries.has(keyed)).toBe(true);
    await clock.advance(DAY_MS / 2);
    await bed.submit();
    await clock.advance(100);
    expect(data.entries.has(keyed)).toBe(false);
  });

  it('goes on until everything old is gone, in small steps', async () => {
    const { bed, calls, clock, data } = openCounted({ retention: { endedMs: 60_000 } });
    for (let i = 0; i < 450; i += 1) await bed.submit();
    await clock.advance(120_000);
    calls.length = 0;
    await bed.submit();
    await clock.advance(100);
    expect(calls.filter((method) => method === 'prune').length).toBe(3);
    expect(data.entries.size).toBe(1);
  });

  it('removes nothing when it is null', async () => {
    const { bed, calls, clock } = openCounted({ retention: { endedMs: null } });
    await bed.submit();
    await clock.advance(100 * DAY_MS);
    await bed.submit();
    await clock.advance(100);
    expect(calls).not.toContain('prune');
  });
});
