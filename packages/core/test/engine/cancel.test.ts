import { describe, expect, it } from 'vitest';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import { aborted, jsonOf, openBed, respond, type Bed } from '../support/bed.ts';
import { callAt, gatedHandler } from '../support/gate.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const recordOf = (bed: Bed, id: string) => {
  const entry = bed.data.entries.get(id);
  if (entry === undefined) throw new Error('The intent is gone.');
  return entry.record;
};

describe('a cancel', () => {
  it('reaches the AbortSignal of a running handler, and the intent is CANCELED when it stops', async () => {
    const bed = openBed((_, { signal }) => aborted(signal));
    const id = await bed.submit();
    const reply = await bed.handle('DELETE', `/${id}`);
    expect(reply.status).toBe(202);
    expect(jsonOf(reply)).toMatchObject({ status: 'IN_PROGRESS', cancel_requested_at: /Z$/ });
    await bed.clock.until(() => recordOf(bed, id).status === 'CANCELED', 0);
    expect(recordOf(bed, id)).toMatchObject({ attempt: 1, dueAt: null });
    const again = await bed.handle('POST', `/${id}/cancel`);
    expect(again.status).toBe(200);
  });

  it('reaches a handler that runs in another process within a second', async () => {
    const data = memoryData();
    const clock = new VirtualClock();
    const { calls, handler } = gatedHandler();
    const worker = openBed(handler, { data, clock });
    const front = openBed(handler, { data, clock, store: memoryStore(data), worker: false });
    const id = await front.submit();
    await clock.until(() => calls.length === 1);
    await front.handle('DELETE', `/${id}`);
    const { signal } = callAt(calls, 0).context;
    await clock.until(() => signal.aborted, 1_000);
    expect(signal.reason).toMatchObject({ cause: 'canceled' });
    callAt(calls, 0).fail(signal.reason);
    await clock.until(() => recordOf(worker, id).status === 'CANCELED', 100);
  });

  it('ends the intent after cancelGraceMs when the handler ignores it', async () => {
    const { calls, handler } = gatedHandler();
    const bed = openBed(handler, { cancelGraceMs: 2_000 });
    const id = await bed.submit();
    await bed.handle('DELETE', `/${id}`);
    await bed.clock.advance(1_999);
    expect(recordOf(bed, id).status).toBe('IN_PROGRESS');
    await bed.clock.advance(1);
    expect(recordOf(bed, id).status).toBe('CANCELED');
    callAt(calls, 0).respond();
    await bed.clock.advance(10_000);
    expect(recordOf(bed, id).status).toBe('CANCELED');
    expect((await bed.handle('GET', `/${id}/result`)).status).toBe(409);
  });

  it.each([
    ['a response', async () => respond()],
    ['a 5xx', async () => respond({}, 500)],
    [
      'an error of its own',
      async () => {
        throw new Error('It broke.');
      },
    ],
  ])('is not undone by %s within the grace', async (_, late) => {
    const bed = openBed((_input, { signal }) => aborted(signal).catch(late));
    const id = await bed.submit();
    await bed.handle('DELETE', `/${id}`);
    await bed.clock.until(() => recordOf(bed, id).dueAt === null, 100);
    expect(recordOf(bed, id).status).toBe('CANCELED');
    expect(bed.data.entries.get(id)?.result).toBeUndefined();
  });

  it('ends an intent at once that waits for a retry, or has not started', async () => {
    const bed = openBed(
      async () => {
        throw new Error('It broke.');
      },
      { operation: { backoff: { baseMs: 60_000 } }, random: () => 0.9 },
    );
    const id = await bed.submit();
    await bed.clock.until(() => recordOf(bed, id).status === 'WAITING');
    const reply = await bed.handle('DELETE', `/${id}`);
    expect(reply.status).toBe(200);
    expect(jsonOf(reply)).toMatchObject({ status: 'CANCELED' });
    await bed.clock.advance(3_600_000);
    expect(recordOf(bed, id)).toMatchObject({ status: 'CANCELED', attempt: 1 });

    const idle = openBed(async () => respond(), { worker: false });
    const fresh = await idle.submit();
    expect((await idle.handle('DELETE', `/${fresh}`)).status).toBe(200);
  });

  it('of what has ended otherwise is refused, with its links', async () => {
    const bed = openBed(async () => respond());
    const id = await bed.submit();
    await bed.clock.until(() => recordOf(bed, id).status === 'COMPLETED');
    const reply = await bed.handle('DELETE', `/${id}`);
    expect(reply.status).toBe(409);
    expect(jsonOf(reply)).toMatchObject({ code: 'intent_terminal', links: { self: /reports/ } });
  });

  it('is kept while the process that runs the handler is gone, and holds for the next', async () => {
    const data = memoryData();
    const clock = new VirtualClock();
    const { calls, handler } = gatedHandler();
    const first = openBed(handler, { data, clock, cancelGraceMs: 60_000 });
    const id = await first.submit();
    await first.handle('DELETE', `/${id}`);
    await clock.resolve(first.api.stop({ graceMs: 0 }));
    expect(recordOf(first, id).status).toBe('IN_PROGRESS');
    const second = openBed(handler, { data, clock });
    await clock.until(() => recordOf(second, id).status === 'CANCELED', 100);
    expect(calls.length).toBe(1);
  });
});
