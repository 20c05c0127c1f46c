import { describe, expect, it } from 'vitest';
import type { Timer } from '../../src/clock.ts';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import { aroundStore } from '../support/around-store.ts';
import { aborted, openBed, plainRequest, respond, type Bed } from '../support/bed.ts';
import { callAt, gatedHandler } from '../support/gate.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const recordOf = (bed: Bed, id: string) => {
  const entry = bed.data.entries.get(id);
  if (entry === undefined) throw new Error('The intent is gone.');
  return entry.record;
};

describe('the timeout of an attempt', () => {
  it('aborts the signal, fails the attempt and leaves its late response out', async () => {
    const { calls, handler } = gatedHandler();
    const operation = { timeoutMs: 2_000, retries: 1 };
    const bed = openBed(handler, { operation, random: () => 0.5 });
    const id = await bed.submit();
    await bed.clock.advance(1_999);
    expect(callAt(calls, 0).context.signal.aborted).toBe(false);
    await bed.clock.advance(1);
    expect(callAt(calls, 0).context.signal.reason).toMatchObject({ cause: 'timeout' });
    expect(recordOf(bed, id)).toMatchObject({
      status: 'WAITING',
      failures: 1,
      error: { code: 'attempt_timeout' },
    });
    callAt(calls, 0).respond();
    await bed.clock.until(() => calls.length === 2, 500);
    expect(recordOf(bed, id).status).toBe('IN_PROGRESS');
    await bed.clock.until(() => recordOf(bed, id).status === 'FAILED', 2_000);
  });

  it('counts once when the handler throws because of it', async () => {
    const bed = openBed((_, { signal }) => aborted(signal), {
      operation: { timeoutMs: 1_000, retries: 0 },
    });
    const id = await bed.submit();
    await bed.clock.advance(10_000);
    expect(recordOf(bed, id)).toMatchObject({
      status: 'FAILED',
      failures: 1,
      error: { code: 'attempt_timeout' },
    });
  });

  it('is one of each attempt, not of all', async () => {
    const starts: number[] = [];
    const bed = openBed(
      async (_, { signal }) => {
        starts.push(bed.clock.now());
        return starts.length < 3 ? aborted(signal) : respond();
      },
      { operation: { timeoutMs: 1_000 }, random: () => 0 },
    );
    const id = await bed.submit();
    await bed.clock.until(() => recordOf(bed, id).status === 'COMPLETED');
    expect(starts.map((at) => at - (starts[0] ?? NaN))).toEqual([0, 1_000, 2_000]);
  });
});

describe('the deadline of an intent', () => {
  it('aborts the signal, and the intent is TIMED_OUT whatever the handler does', async () => {
    const { calls, handler } = gatedHandler();
    const bed = openBed(handler, { operation: { deadlineMs: 3_000 } });
    const id = await bed.submit();
    await bed.clock.advance(3_000);
    expect(callAt(calls, 0).context.signal.reason).toMatchObject({ cause: 'deadline' });
    expect(recordOf(bed, id)).toMatchObject({ status: 'TIMED_OUT', failures: 0 });
    callAt(calls, 0).respond();
    await bed.clock.advance(10_000);
    expect(recordOf(bed, id).status).toBe('TIMED_OUT');
    expect((await bed.handle('GET', `/${id}/result`)).status).toBe(504);
  });

  it('is not before its time when a timer fires early, as those of Node do', async () => {
    class Hasty extends VirtualClock {
      override setTimeout(fire: () => void, delayMs: number): Timer {
        return super.setTimeout(fire, delayMs > 1 ? delayMs - 1 : delayMs);
      }
    }
    const clock = new Hasty();
    const { calls, handler } = gatedHandler();
    const bed = openBed(handler, { clock, operation: { deadlineMs: 3_000 } });
    const id = await bed.submit();
    const { createdAt } = recordOf(bed, id);
    await clock.until(() => callAt(calls, 0).context.signal.aborted);
    await clock.until(() => recordOf(bed, id).status === 'TIMED_OUT');
    expect(recordOf(bed, id).updatedAt - createdAt).toBe(3_000);
  });

  it('holds while the intent waits for a retry', async () => {
    const bed = openBed(
      async () => {
        throw new Error('It broke.');
      },
      { operation: { deadlineMs: 3_000, backoff: { baseMs: 60_000 } }, random: () => 0.9 },
    );
    const id = await bed.submit();
    await bed.clock.advance(2_999);
    expect(recordOf(bed, id).status).toBe('WAITING');
    await bed.clock.advance(1);
    expect(recordOf(bed, id)).toMatchObject({ status: 'TIMED_OUT', attempt: 1 });
  });

  it('holds over a restart, also when it passed meanwhile', async () => {
    const { calls, handler } = gatedHandler();
    const first = openBed(handler, { worker: false, operation: { deadlineMs: 3_000 } });
    const { clock, data } = first;
    const id = await first.submit();
    await clock.advance(60_000);
    expect(recordOf(first, id).status).toBe('SUBMITTED');
    const second = openBed(handler, { clock, data });
    await clock.advance(10);
    expect(recordOf(second, id).status).toBe('TIMED_OUT');
    expect(calls.length).toBe(0);
  });

  it('keeps an attempt from starting whose submit was answered after it', async () => {
    const clock = new VirtualClock();
    const data = memoryData();
    const store = aroundStore(memoryStore(data), async (method, call) => {
      const answer = await call();
      if (method === 'submit') await new Promise<void>((r) => clock.setTimeout(r, 1_000));
      return answer;
    });
    const { calls, handler } = gatedHandler();
    const bed = openBed(handler, { clock, data, store, operation: { deadlineMs: 500 } });
    const reply = await clock.resolve(bed.api.handle(bed.operation, plainRequest('POST', '/')));
    expect(reply?.status).toBe(202);
    await clock.advance(10);
    expect(calls.length).toBe(0);
    expect([...data.entries.values()][0]?.record.status).toBe('TIMED_OUT');
  });
});

describe('the backoff of an intent', () => {
  it('holds over a restart', async () => {
    const starts: number[] = [];
    const handler = async () => {
      starts.push(first.clock.now());
      if (starts.length === 1) throw new Error('It broke.');
      return respond();
    };
    const operation = { backoff: { baseMs: 20_000 } };
    const first = openBed(handler, { operation, random: () => 0.5 });
    const { clock, data } = first;
    const id = await first.submit();
    await clock.advance(1_000);
    await clock.resolve(first.api.stop());
    const second = openBed(handler, { clock, data, operation });
    await clock.until(() => recordOf(second, id).status === 'COMPLETED');
    expect((starts[1] ?? NaN) - (starts[0] ?? NaN)).toBe(10_000);
  });
});
