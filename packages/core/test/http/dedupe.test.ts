import { describe, expect, it } from 'vitest';
import { memoryData } from '../../src/store/memory-store.ts';
import {
  jsonOf,
  openBed,
  plainRequest,
  respond,
  type Bed,
  type BedOptions,
} from '../support/bed.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { gatedHandler } from '../support/gate.ts';

const NAME = 'reports.generate';

/** A bed whose requests are about what their source names; `none` is about nothing. */
function bedOf(options: BedOptions = {}, operation: BedOptions['operation'] = {}) {
  const gate = gatedHandler();
  const dedupe = (source: string): string | undefined => (source === 'none' ? undefined : source);
  const bed = openBed(gate.handler, { ...options, operation: { dedupe, ...operation } });
  return { bed, gate };
}

async function post(bed: Bed, source: string, headers: Record<string, string> = {}) {
  const reply = await bed.handle('POST', '/', { source, headers, body: { from: source } });
  const { intent_id: id } = Object(reply.kind === 'full' ? jsonOf(reply) : {});
  return {
    id,
    status: reply.status,
    isAlike: reply.headers['intent-deduplicated'] === 'true',
    reply,
  };
}

describe('a submit about what is under way', () => {
  it('makes no intent, and is answered with the one there is', async () => {
    const { bed } = bedOf();
    const first = await post(bed, 'a');
    const again = await post(bed, 'a');
    expect(first).toMatchObject({ status: 202, isAlike: false });
    expect(again).toMatchObject({ status: 202, isAlike: true, id: first.id });
    expect(jsonOf(again.reply)).toEqual(jsonOf(first.reply));
    expect(again.reply.headers['location']).toBe(first.reply.headers['location']);
    expect(again.reply.headers).not.toHaveProperty('idempotency-replayed');
    expect(bed.data.entries.size).toBe(1);
  });

  it('is one of its own when it is about something else, or about nothing', async () => {
    const { bed } = bedOf();
    const ids = [];
    for (const source of ['a', 'b', 'none', 'none']) ids.push((await post(bed, source)).id);
    expect(new Set(ids).size).toBe(4);
  });

  it.each(['COMPLETED', 'FAILED', 'CANCELED', 'TIMED_OUT'] as const)(
    'makes a new one once that is %s',
    async (status) => {
      const { bed, gate } = bedOf({}, { retries: 0, deadlineMs: 60_000 });
      const first = await post(bed, 'a');
      await bed.clock.until(() => gate.calls.length === 1);
      if (status === 'COMPLETED') gate.calls[0]?.respond();
      if (status === 'FAILED') gate.calls[0]?.fail(new Error('no'));
      if (status === 'CANCELED') await bed.handle('DELETE', `/${first.id}`);
      await bed.clock.until(() => bed.data.entries.get(first.id)?.record.status === status);
      const second = await post(bed, 'a');
      expect(second.isAlike).toBe(false);
      expect(second.id).not.toBe(first.id);
      expect((await post(bed, 'a')).id).toBe(second.id);
    },
  );

  it('is another owner’s own', async () => {
    let owner = 'tenant-a';
    const { bed } = bedOf({ identify: () => owner });
    const first = await post(bed, 'a');
    owner = 'tenant-b';
    expect(await post(bed, 'a')).toMatchObject({
      isAlike: false,
      id: expect.not.stringMatching(first.id),
    });
  });

  it('waits for its end with Prefer: wait, and watches its events from the first on', async () => {
    const { bed, gate } = bedOf();
    const first = await post(bed, 'a');
    await bed.clock.until(() => gate.calls.length === 1);
    const stream = await post(bed, 'a', { accept: 'text/event-stream' });
    expect(stream).toMatchObject({ status: 200, isAlike: true });
    expect(stream.reply.kind).toBe('stream');
    bed.clock.setTimeout(() => gate.calls[0]?.respond(respond({ n: 1 })), 1_000);
    const waited = await post(bed, 'a', { prefer: 'wait=10' });
    expect(waited).toMatchObject({ status: 200, isAlike: true });
    expect(jsonOf(waited.reply)).toEqual({ n: 1 });
    expect(waited.reply.headers['intent-id']).toBe(first.id);
  });

  it('does not show what the caller may not see', async () => {
    let isAllowed = true;
    const { bed, gate } = bedOf({ authorize: () => isAllowed });
    const first = await post(bed, 'a');
    await bed.clock.until(() => gate.calls.length === 1);
    isAllowed = false;
    for (const headers of [{ prefer: 'wait=10' }, { accept: 'text/event-stream' }, {}]) {
      const { reply, ...answer } = await post(bed, 'a', headers);
      expect(answer).toEqual({ id: first.id, status: 202, isAlike: true });
      expect(reply.kind).toBe('full');
    }
  });

  it('is a replay when its idempotency key says so, also after the end of its own intent', async () => {
    const { bed, gate } = bedOf();
    const mine = { 'idempotency-key': 'mine' };
    const first = await post(bed, 'a', mine);
    const replay = await post(bed, 'a', mine);
    expect(replay.reply.headers['idempotency-replayed']).toBe('true');
    expect(replay).toMatchObject({ id: first.id, isAlike: false });
    expect(await post(bed, 'a', { 'idempotency-key': 'other' })).toMatchObject({
      id: first.id,
      isAlike: true,
    });
    const reused = await bed.handle('POST', '/', {
      source: 'a',
      headers: mine,
      body: { other: 1 },
    });
    expect(jsonOf(reused)).toMatchObject({ code: 'idempotency_key_reused' });
    gate.calls[0]?.respond(respond());
    await bed.clock.advance(0);
    const second = await post(bed, 'a');
    expect(second.isAlike).toBe(false);
    expect((await post(bed, 'a', mine)).id).toBe(first.id);
  });

  it('is decided by the store: of many at once on several hosts one makes an intent', async () => {
    const data = memoryData();
    const clock = new VirtualClock();
    const beds = [1, 2, 3].map(() => bedOf({ data, clock, worker: false }).bed);
    const replies = Array.from({ length: 7 }, () =>
      beds.map((bed) => bed.api.handle(bed.operation, plainRequest('POST', '/', { source: 'a' }))),
    );
    const all = await clock.resolve(Promise.all(replies.flat()));
    expect(new Set(all.map((reply) => reply?.headers['intent-id'])).size).toBe(1);
    const alike = all.filter((reply) => reply?.headers['intent-deduplicated'] === 'true');
    expect(alike).toHaveLength(20);
    expect(data.entries.size).toBe(1);
  });

  it('says what is wrong when its name is neither text nor number', async () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a function gives is not checked
    const { bed } = bedOf({}, { dedupe: () => ({}) as string });
    expect(jsonOf((await post(bed, 'a')).reply)).toMatchObject({ code: 'options_invalid' });
    expect(bed.data.entries.size).toBe(0);
  });
});

describe('a retry of an intent with a live key', () => {
  it('is not made while another is under way', async () => {
    const { bed } = bedOf({ worker: false });
    const first = await post(bed, 'a');
    await bed.handle('DELETE', `/${first.id}`);
    const second = await post(bed, 'a');
    const refused = await bed.handle('POST', `/${first.id}/retry`);
    expect(refused.headers).toMatchObject({
      'intent-deduplicated': 'true',
      'intent-id': second.id,
    });
    await bed.handle('DELETE', `/${second.id}`);
    const made = await bed.handle('POST', `/${first.id}/retry`);
    expect(made.headers).not.toHaveProperty('intent-deduplicated');
    expect(await post(bed, 'a')).toMatchObject({ id: made.headers['intent-id'], isAlike: true });
  });
});

describe('a submit from code with a dedupeKey', () => {
  it('meets those of requests, and says so', async () => {
    const { bed } = bedOf();
    const first = await post(bed, 'a');
    const submit = (dedupeKey: string) =>
      bed.clock.resolve(bed.api.intents.submit(NAME, {}, { dedupeKey }));
    expect(await submit('a')).toMatchObject({
      isDeduplicated: true,
      isReplayed: false,
      record: { id: first.id },
    });
    expect(await submit('b')).toMatchObject({ isDeduplicated: false, isReplayed: false });
    expect(await submit('b')).toMatchObject({ isDeduplicated: true });
  });
});
