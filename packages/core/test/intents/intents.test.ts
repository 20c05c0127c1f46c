import type { WireEvent } from '@durable-api/protocol';
import { describe, expect, it } from 'vitest';
import type { DurableError } from '../../src/errors.ts';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import { aroundStore } from '../support/around-store.ts';
import { openBed, respond, type Bed } from '../support/bed.ts';
import { callAt, gatedHandler } from '../support/gate.ts';
import { settled } from '../support/virtual-clock.ts';

const NAME = 'reports.generate';

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing was thrown',
    (error: DurableError) => error.code,
  );
}

/** Collects events as they are observed. */
function collect(observed: AsyncIterable<WireEvent>): { seen: WireEvent[]; end: Promise<void> } {
  const seen: WireEvent[] = [];
  const end = (async () => {
    for await (const event of observed) seen.push(event);
  })();
  return { seen, end };
}

function typesOf(events: readonly WireEvent[]): string[] {
  return events.map((event) => event.event_type.replace('intent.', ''));
}

async function submitted(bed: Bed, owner?: string): Promise<string> {
  // Ids are ordered by their milliseconds.
  await bed.clock.advance(1);
  const work = bed.api.intents.submit(NAME, { body: { quarter: 'Q3' } }, { owner });
  return (await bed.clock.resolve(work)).record.id;
}

describe('a submit from code', () => {
  it('is run like a request, with the body and the rest it was given', async () => {
    const inputs: unknown[] = [];
    const bed = openBed(async (input, { owner }) => {
      inputs.push(input);
      return respond({ owner });
    });
    const submit = bed.api.intents.submit(
      NAME,
      { body: { quarter: 'Q3' }, rest: { params: { id: '7' } } },
      { owner: 'tenant-a' },
    );
    const { record, isReplayed } = await bed.clock.resolve(submit);
    expect(isReplayed).toBe(false);
    expect(record).toMatchObject({ operation: NAME, owner: 'tenant-a' });
    await bed.clock.until(() => bed.data.entries.get(record.id)?.record.status === 'COMPLETED');
    expect(inputs).toEqual([{ body: { quarter: 'Q3' }, rest: { params: { id: '7' } } }]);
    const result = await bed.clock.resolve(bed.api.intents.result(record.id));
    expect(Buffer.from(result?.body ?? '').toString()).toBe('{"owner":"tenant-a"}');
  });

  it('is refused a transaction by a store that knows none, and stores nothing', async () => {
    const bed = openBed(async () => respond());
    const submit = bed.api.intents.submit(NAME, {}, { transaction: {} });
    expect(await codeOf(bed.clock.resolve(submit))).toBe('options_invalid');
    expect(bed.data.entries.size).toBe(0);
  });

  it('with an idempotency key is one intent per owner, and refuses another input', async () => {
    const bed = openBed(async () => respond());
    const { intents } = bed.api;
    const submit = (owner: string, body: unknown): ReturnType<typeof intents.submit> =>
      bed.clock.resolve(intents.submit(NAME, { body }, { owner, idempotencyKey: 'k' }));
    const first = await submit('a', { n: 1 });
    const again = await submit('a', { n: 1 });
    expect(again).toMatchObject({ isReplayed: true, record: { id: first.record.id } });
    expect((await submit('b', { n: 1 })).record.id).not.toBe(first.record.id);
    expect(await codeOf(submit('a', { n: 2 }))).toBe('idempotency_key_reused');
  });

  it('is refused for an operation that is not declared, and for a payload that is no JSON', async () => {
    const { intents } = openBed(async () => respond()).api;
    expect(await codeOf(intents.submit('nothing', {}))).toBe('handler_unavailable');
    const body = { call: () => {} };
    expect(await codeOf(intents.submit(NAME, { body }))).toBe('payload_not_json');
  });
});

describe('a look from code', () => {
  it('finds any intent, or only those of one owner', async () => {
    const bed = openBed(async () => respond());
    const id = await submitted(bed, 'tenant-a');
    const get = (owner?: string): ReturnType<typeof bed.api.intents.get> =>
      bed.clock.resolve(bed.api.intents.get(id, { owner }));
    expect(await get()).toMatchObject({ id, owner: 'tenant-a' });
    expect(await get('tenant-a')).toMatchObject({ id });
    expect(await get('tenant-b')).toBeNull();
    const foreign = bed.api.intents.result(id, { owner: 'tenant-b' });
    expect(await bed.clock.resolve(foreign)).toBeNull();
  });

  it('lists by owner, operation and status, newest first, page by page', async () => {
    const { calls, handler } = gatedHandler();
    const bed = openBed(handler);
    const [first, second, third] = [
      await submitted(bed, 'a'),
      await submitted(bed, 'a'),
      await submitted(bed, 'b'),
    ];
    callAt(calls, 0).respond();
    await bed.clock.until(() => bed.data.entries.get(first)?.record.status === 'COMPLETED');
    const list = async (which: Parameters<typeof bed.api.intents.list>[0]): Promise<string[]> =>
      (await bed.clock.resolve(bed.api.intents.list(which))).map(({ id }) => id);
    expect(await list({})).toEqual([third, second, first]);
    expect(await list({ owner: 'a' })).toEqual([second, first]);
    expect(await list({ statuses: ['COMPLETED'] })).toEqual([first]);
    expect(await list({ operation: 'other' })).toEqual([]);
    expect(await list({ limit: 1 })).toEqual([third]);
    expect(await list({ limit: 1, before: third })).toEqual([second]);
  });
});

describe('a cancel from code', () => {
  it('aborts the handler and ends the intent, and names who wanted it', async () => {
    const bed = openBed(async (_input, { signal }) => aborted(signal));
    const id = await submitted(bed, 'tenant-a');
    const { intents } = bed.api;
    expect(await codeOf(bed.clock.resolve(intents.cancel(id, { owner: 'tenant-b' })))).toBe(
      'intent_not_found',
    );
    await bed.clock.resolve(intents.cancel(id, { actor: 'admin', reason: 'too old' }));
    await bed.clock.until(() => bed.data.entries.get(id)?.record.status === 'CANCELED');
    expect((await bed.clock.resolve(intents.cancel(id))).status).toBe('CANCELED');
    const { seen, end } = collect(intents.observe(id));
    await bed.clock.resolve(end);
    const asked = seen.find((event) => event.event_type === 'intent.cancel_requested');
    expect(asked).toMatchObject({ actor: 'admin', details: { reason: 'too old' } });
  });

  it('is refused when the intent has ended otherwise', async () => {
    const bed = openBed(async () => respond());
    const id = await submitted(bed);
    await bed.clock.until(() => bed.data.entries.get(id)?.record.status === 'COMPLETED');
    expect(await codeOf(bed.clock.resolve(bed.api.intents.cancel(id)))).toBe('intent_terminal');
  });
});

describe('an observation from code', () => {
  it('yields each event once, as it happens, and ends after the last', async () => {
    const { calls, handler } = gatedHandler();
    const bed = openBed(handler);
    const id = await submitted(bed);
    const { seen, end } = collect(bed.api.intents.observe(id));
    await bed.clock.until(() => seen.length === 4);
    callAt(calls, 0).context.progress(0.5);
    await bed.clock.until(() => seen.length === 5);
    callAt(calls, 0).respond();
    await bed.clock.resolve(end);
    expect(typesOf(seen)).toEqual([
      'created',
      'submitted',
      'delivered',
      'in_progress',
      'progress',
      'completed',
    ]);
    expect(seen.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(seen[4]?.details).toEqual({ fraction: 0.5 });
  });

  it('begins after the seq that is known, also after the last', async () => {
    const bed = openBed(async () => respond());
    const id = await submitted(bed);
    await bed.clock.until(() => bed.data.entries.get(id)?.record.status === 'COMPLETED');
    for (const [after, expected] of [
      [3, ['in_progress', 'completed']],
      [5, []],
    ] as const) {
      const { seen, end } = collect(bed.api.intents.observe(id, { after }));
      await bed.clock.resolve(end);
      expect(typesOf(seen)).toEqual(expected);
    }
  });

  it('sees what another process wrote without a wake-up, at its next look', async () => {
    const { calls, handler } = gatedHandler();
    const worker = openBed(handler);
    const { clock, data } = worker;
    const observing = openBed(handler, { clock, data, worker: false });
    const id = await submitted(worker);
    const { seen, end } = collect(observing.api.intents.observe(id));
    await clock.until(() => seen.length === 4);
    callAt(calls, 0).respond();
    await clock.resolve(end);
    expect(typesOf(seen).at(-1)).toBe('completed');
  });

  it('ends at once when the end is written between its looks at the record and the events', async () => {
    const { calls, handler } = gatedHandler();
    const data = memoryData();
    let isLate = false;
    const store = aroundStore(memoryStore(data), async (method, call) => {
      if (method === 'events' && isLate) {
        isLate = false;
        callAt(calls, 0).respond();
        while (data.entries.get(id)?.record.status !== 'COMPLETED') await settled();
      }
      return call();
    });
    const bed = openBed(handler, { store, data });
    const id = await submitted(bed);
    isLate = true;
    const { end } = collect(bed.api.intents.observe(id));
    let isOver = false;
    void end.then(() => {
      isOver = true;
    });
    // No time passes: a look that waits for the next one would see nothing.
    for (let turn = 0; turn < 100; turn++) await settled();
    expect(isOver).toBe(true);
  });

  it('rejects for an intent that is not the owner’s, at once', async () => {
    const bed = openBed(async () => respond());
    const id = await submitted(bed, 'tenant-a');
    const { end } = collect(bed.api.intents.observe(id, { owner: 'tenant-b' }));
    expect(await codeOf(bed.clock.resolve(end))).toBe('intent_not_found');
  });

  it('ends when its signal is aborted, while it waits, and leaves nothing behind', async () => {
    const { handler } = gatedHandler();
    const bed = openBed(handler);
    const id = await submitted(bed);
    const timers = bed.clock.pending;
    const leave = new AbortController();
    const { seen, end } = collect(bed.api.intents.observe(id, { signal: leave.signal }));
    await bed.clock.until(() => seen.length === 4);
    expect(bed.clock.pending).toBeGreaterThan(timers);
    leave.abort(new Error('Enough.'));
    await expect(end).rejects.toThrow('Enough.');
    expect(bed.clock.pending).toBe(timers);
  });

  it('ends when the durable API stops, and says so', async () => {
    const { handler } = gatedHandler();
    const bed = openBed(handler);
    const id = await submitted(bed);
    const { seen, end } = collect(bed.api.intents.observe(id));
    await bed.clock.until(() => seen.length === 4);
    const code = codeOf(end);
    await bed.clock.resolve(bed.api.stop({ graceMs: 0 }));
    expect(await code).toBe('stopping');
  });
});
