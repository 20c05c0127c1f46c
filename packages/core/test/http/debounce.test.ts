import { describe, expect, it } from 'vitest';
import type { DurableError } from '../../src/errors.ts';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import { aroundStore, type Around } from '../support/around-store.ts';
import {
  jsonOf,
  openBed,
  plainRequest,
  respond,
  type Bed,
  type BedOptions,
} from '../support/bed.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const NAME = 'reports.generate';
const WINDOW_MS = 5_000;

/** A bed whose submits are debounced by their source; it notes what its handler was given, and when. */
function bedOf(options: BedOptions = {}, operation: BedOptions['operation'] = {}) {
  const ran: { body: unknown; at: number }[] = [];
  const bed: Bed = openBed(
    async (input) => {
      ran.push({ body: Object(input).body, at: bed.clock.now() });
      return respond({ ran: ran.length });
    },
    {
      ...options,
      operation: { dedupe: (source) => source, debounceMs: WINDOW_MS, ...operation },
    },
  );
  return { bed, ran };
}

async function post(bed: Bed, body: unknown, headers: Record<string, string> = {}) {
  const reply = await bed.handle('POST', '/', { source: 'doc-1', body, headers });
  expect(reply.status).toBe(202);
  return {
    id: reply.headers['intent-id'] ?? '',
    isAlike: reply.headers['intent-deduplicated'] === 'true',
    isReplayed: reply.headers['idempotency-replayed'] === 'true',
  };
}

describe('debounced submits', () => {
  it('are one intent, which starts when none has come for the window, with the last input', async () => {
    const { bed, ran } = bedOf();
    const first = await post(bed, { n: 1 });
    await bed.clock.advance(3_000);
    const second = await post(bed, { n: 2 });
    await bed.clock.advance(3_000);
    const third = await post(bed, { n: 3 });
    const lastAt = bed.clock.now();
    expect([first.isAlike, second.isAlike, third.isAlike]).toEqual([false, true, true]);
    expect(new Set([first.id, second.id, third.id]).size).toBe(1);
    expect(ran).toEqual([]);
    await bed.clock.advance(WINDOW_MS - 1);
    expect(ran).toEqual([]);
    await bed.clock.advance(1);
    expect(ran).toEqual([{ body: { n: 3 }, at: lastAt + WINDOW_MS }]);
  });

  it('show whoever watches from the first on how the start is put off', async () => {
    const { bed } = bedOf();
    const { id } = await post(bed, { n: 1 });
    const sink = await bed.observe(id);
    await bed.clock.advance(1_000);
    await post(bed, { n: 2 });
    expect((await bed.snapshot(id)).resume_at).toBe(
      new Date(bed.clock.now() + WINDOW_MS).toISOString(),
    );
    await bed.clock.advance(WINDOW_MS);
    expect(sink.events.map(({ event_type: type }) => type.slice('intent.'.length))).toEqual([
      'created',
      'submitted',
      'waiting',
      'waiting',
      'delivered',
      'in_progress',
      'completed',
    ]);
    expect(sink.events[3]?.details).toMatchObject({ input_replaced: true });
  });

  it('after the start are the next intent', async () => {
    const { bed, ran } = bedOf();
    const first = await post(bed, { n: 1 });
    await bed.clock.advance(WINDOW_MS);
    const second = await post(bed, { n: 2 });
    expect(second.isAlike).toBe(false);
    expect(second.id).not.toBe(first.id);
    await bed.clock.advance(WINDOW_MS);
    expect(ran.map(({ body }) => body)).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it('do not put the start off for ever', async () => {
    const { bed, ran } = bedOf({}, { debounceMaxMs: 12_000 });
    const startedAt = bed.clock.now();
    const ids = new Set<string>();
    for (let n = 0; n < 6; n += 1) {
      ids.add((await post(bed, { n })).id);
      await bed.clock.advance(3_000);
    }
    expect(ran[0]).toMatchObject({ body: { n: 3 } });
    expect((ran[0]?.at ?? 0) - startedAt).toBeLessThanOrEqual(12_100);
    expect(ids.size).toBe(2);
  });

  it('have their deadline count from the latest start that there can be', async () => {
    const { bed } = bedOf({}, { deadlineMs: 1_000 });
    const { id } = await post(bed, { n: 1 });
    const { created_at: createdAt, deadline_at: deadlineAt = '' } = await bed.snapshot(id);
    expect(Date.parse(deadlineAt) - Date.parse(createdAt)).toBe(10 * WINDOW_MS + 1_000);
  });

  it('hold across a restart with the last input', async () => {
    const data = memoryData();
    const first = bedOf({ data });
    await post(first.bed, { n: 1 });
    await post(first.bed, { n: 2 });
    await first.bed.clock.resolve(first.bed.api.stop());
    const second = bedOf({ data, clock: first.bed.clock });
    expect((await post(second.bed, { n: 3 })).isAlike).toBe(true);
    await second.bed.clock.advance(WINDOW_MS);
    expect(second.ran.map(({ body }) => body)).toEqual([{ n: 3 }]);
  });

  it('with an idempotency key are replayed without putting the start off again', async () => {
    const { bed, ran } = bedOf();
    const key = { 'idempotency-key': 'k' };
    const first = await post(bed, { n: 1 }, key);
    await bed.clock.advance(4_000);
    expect(await post(bed, { n: 1 }, key)).toEqual({
      id: first.id,
      isAlike: false,
      isReplayed: true,
    });
    await bed.clock.advance(1_000);
    expect(ran).toHaveLength(1);
    const reply = await bed.handle('POST', '/', { source: 'doc-1', body: { n: 2 }, headers: key });
    expect(jsonOf(reply)).toMatchObject({ code: 'idempotency_key_reused' });
  });

  it('that are canceled while they wait let the next begin anew', async () => {
    const { bed, ran } = bedOf();
    const first = await post(bed, { n: 1 });
    await bed.handle('DELETE', `/${first.id}`);
    const second = await post(bed, { n: 2 });
    expect(second.isAlike).toBe(false);
    await bed.clock.advance(2 * WINDOW_MS);
    expect(ran.map(({ body }) => body)).toEqual([{ n: 2 }]);
  });

  it('are retried with the last input, and need no window for that', async () => {
    const { bed, ran } = bedOf();
    const first = await post(bed, { n: 1 });
    await post(bed, { n: 2 });
    await bed.handle('DELETE', `/${first.id}`);
    await bed.handle('POST', `/${first.id}/retry`);
    await bed.clock.advance(0);
    expect(ran.map(({ body }) => body)).toEqual([{ n: 2 }]);
  });
});

describe('many debounced submits at once', () => {
  it('on several hosts are one intent, few writes, and one of their inputs', async () => {
    const data = memoryData();
    const clock = new VirtualClock();
    const writes = { submit: 0, commit: 0 };
    const count: Around = (method, call) => {
      if (method === 'submit' || method === 'commit') writes[method] += 1;
      return call();
    };
    const beds = [1, 2, 3].map(() =>
      bedOf({ data, clock, store: aroundStore(memoryStore(data), count) }),
    );
    const posts = Array.from({ length: 300 }, (_, n) => {
      const { bed } = beds[n % 3] ?? bedOf();
      const request = plainRequest('POST', '/', { source: 'doc-1', body: { n } });
      return bed.api.handle(bed.operation, request);
    });
    const replies = await clock.resolve(Promise.all(posts));
    expect(new Set(replies.map((reply) => reply?.headers['intent-id'])).size).toBe(1);
    const isNew = replies.filter((reply) => reply?.headers['intent-deduplicated'] === undefined);
    expect(isNew).toHaveLength(1);
    expect(writes.submit + writes.commit).toBeLessThan(30);
    await clock.advance(2 * WINDOW_MS);
    const ran = beds.flatMap((bed) => bed.ran);
    expect(ran).toHaveLength(1);
    // Each host's last one is its last; which host is the last of all is as they come to the store.
    expect([297, 298, 299]).toContain(Object(ran[0]?.body).n);
  });
});

describe('a debounced submit that meets a claim', () => {
  /** A bed that says when a claim has brought something, and holds back its start. */
  function held() {
    const data = memoryData();
    const clock = new VirtualClock();
    let release = (): void => {};
    let isHeld = false;
    const holding = aroundStore(memoryStore(data), async (method, call) => {
      if (method !== 'commit') return call();
      isHeld = true;
      await new Promise<void>((resolve) => (release = resolve));
      return call();
    });
    const worker = bedOf({ data, clock, store: holding });
    const other = bedOf({ data, clock, worker: false });
    return { worker, other, clock, isHeld: () => isHeld, release: () => release() };
  }

  it('wins before the start is stored: the handler is called with its input only', async () => {
    const { worker, other, clock, isHeld, release } = held();
    const first = await post(other.bed, { n: 1 });
    await clock.until(isHeld);
    const second = await post(other.bed, { n: 2 });
    expect(second).toMatchObject({ id: first.id, isAlike: true });
    release();
    await clock.advance(0);
    expect(worker.ran).toEqual([]);
    await clock.until(() => worker.bed.data.entries.get(first.id)?.record.holder !== null);
    release();
    await clock.advance(0);
    release();
    await clock.advance(0);
    expect(worker.ran.map(({ body }) => body)).toEqual([{ n: 2 }]);
  });
});

describe('debounced submits from code', () => {
  it('put each other off, and take neither a start nor a transaction', async () => {
    const { bed, ran } = bedOf();
    const submit = (n: number, options: object = {}) =>
      bed.clock.resolve(
        bed.api.intents.submit(NAME, { body: { n } }, { dedupeKey: 'doc-1', ...options }),
      );
    const first = await submit(1);
    expect(first.isDeduplicated).toBe(false);
    expect(await submit(2)).toMatchObject({
      isDeduplicated: true,
      record: { id: first.record.id },
    });
    for (const wrong of [{ startAfterMs: 1 }, { transaction: {} }]) {
      const code = await submit(3, wrong).catch((error: DurableError) => error.code);
      expect(code).toBe('options_invalid');
    }
    await bed.clock.advance(WINDOW_MS);
    expect(ran.map(({ body }) => body)).toEqual([{ n: 2 }]);
  });
});

describe('the options of debouncing', () => {
  const dedupe = (): string => 'a';

  it.each([
    [{ debounceMs: 5 }, 'needs dedupe'],
    [{ dedupe, debounceMs: 5, startAfterMs: 5 }, 'leave startAfterMs'],
    [{ dedupe, debounceMs: 5, debounceMaxMs: 4 }, 'debounceMaxMs'],
    [{ dedupe, debounceMs: 0 }, 'debounceMs'],
  ])('are refused as %o', (operation, why) => {
    expect(() => openBed(async () => respond(), { operation })).toThrow(why);
  });
});
