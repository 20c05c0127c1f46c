import { describe, expect, it } from 'vitest';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { openBed, respond } from '../support/bed.ts';
import { gatedHandler } from '../support/gate.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const SKEW_MS = 300_000;

/** A host whose clock is wrong by `skewMs`, and a store with a clock of its own. */
function openSkewed(skewMs: number) {
  const clock = new VirtualClock();
  const data = memoryData();
  const inner = memoryStore(data);
  const trueNow = (): number => clock.now() - skewMs;
  const store: Store = {
    ...inner,
    capabilities: { ...inner.capabilities, clock: 'store' },
    claim: (request) => inner.claim({ ...request, now: trueNow() }),
    renew: (request) => inner.renew({ ...request, now: trueNow() }),
  };
  return { clock, data, store, trueNow };
}

describe('a host whose clock is wrong', () => {
  it.each([-SKEW_MS, SKEW_MS])(
    'by %i ms dates already its first intent by the store, also where it does not work',
    async (skewMs) => {
      for (const worker of [true, false]) {
        const { clock, data, store, trueNow } = openSkewed(skewMs);
        const bed = openBed(gatedHandler().handler, {
          clock,
          data,
          store,
          worker,
          operation: { deadlineMs: 60_000 },
        });
        const id = await bed.submit();
        const record = data.entries.get(id)?.record;
        expect(record?.createdAt).toBe(trueNow());
        expect(record?.deadlineAt).toBe(trueNow() + 60_000);
        expect(record?.dueAt).toBe(worker ? trueNow() + 15_000 : trueNow());
      }
    },
  );

  it('waits before a retry as long as any other', async () => {
    const { clock, data, store } = openSkewed(SKEW_MS);
    const starts: number[] = [];
    const bed = openBed(
      async () => {
        starts.push(clock.now());
        if (starts.length === 1) throw new Error('It broke.');
        return respond();
      },
      { clock, data, store, random: () => 0.5 },
    );
    const id = await bed.submit();
    await clock.until(() => data.entries.get(id)?.record.status === 'COMPLETED');
    expect((starts[1] ?? NaN) - (starts[0] ?? NaN)).toBe(500);
  });
});

describe('a clock that counts in parts of milliseconds', () => {
  it('dates by whole ones, and ids are well-formed', async () => {
    const clock = new VirtualClock(Date.UTC(2026, 0, 1) + 0.666);
    const bed = openBed(async () => respond(), { clock });
    const id = await bed.submit();
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect((await bed.handle('GET', `/${id}`)).status).toBe(200);
    const { createdAt = NaN, updatedAt = NaN } = bed.data.entries.get(id)?.record ?? {};
    expect([createdAt, updatedAt].every(Number.isInteger)).toBe(true);
  });
});
