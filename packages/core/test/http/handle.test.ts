import {
  eventListSchema,
  problemSchema,
  snapshotSchema,
  submittedSchema,
} from '@durable-api/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NonRetryableError } from '../../src/errors.ts';
import type { PlainReply, PlainRequest } from '../../src/http/exchange.ts';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import { jsonOf, openBed, PATH, plainRequest, respond, type Bed } from '../support/bed.ts';
import { callAt, gatedHandler } from '../support/gate.ts';
import { TestSink } from '../support/test-sink.ts';
import { settled, VirtualClock } from '../support/virtual-clock.ts';

const UNKNOWN = '01890000-0000-7000-8000-000000000009';

const ended = (bed: Bed, id: string): Promise<void> =>
  bed.clock.until(() => bed.data.entries.get(id)?.record.dueAt === null);

describe('POST', () => {
  it('answers 202 with where to look, after the commit', async () => {
    const { handler } = gatedHandler();
    const bed = openBed(handler);
    const reply = await bed.handle('POST', '/');
    const body = submittedSchema.parse(jsonOf(reply));
    expect(reply.status).toBe(202);
    expect(bed.data.entries.has(body.intent_id)).toBe(true);
    expect(reply.headers).toMatchObject({
      location: `${PATH}/${body.intent_id}`,
      'retry-after': '1',
      'intent-id': body.intent_id,
      'cache-control': 'no-store',
      link: expect.stringContaining('rel="monitor"'),
    });
  });

  it('answers the handler’s response itself when it comes within the wait', async () => {
    const bed = openBed(async () => respond({ rows: 3 }, 201));
    const reply = await bed.handle('POST', '/', { headers: { prefer: 'wait=5' } });
    expect(reply).toMatchObject({
      status: 201,
      headers: { 'preference-applied': 'wait=5', 'content-type': 'application/json' },
    });
    expect(jsonOf(reply)).toEqual({ rows: 3 });
  });

  it('answers 202 when the wait is over, and leaves nothing behind', async () => {
    const { handler } = gatedHandler();
    const bed = openBed(handler);
    const begun = bed.clock.now();
    const reply = await bed.handle('POST', '/', { headers: { prefer: 'wait=3' } });
    expect(reply.status).toBe(202);
    expect(bed.clock.now() - begun).toBe(3_000);
  });

  it('stops to wait when the client has left', async () => {
    const { handler } = gatedHandler();
    const bed = openBed(handler);
    let leave: (() => void) | undefined;
    const request = plainRequest('POST', '/', {
      headers: { prefer: 'wait=30' },
      onClose: (listener) => (leave = listener),
    });
    const replying = bed.api.handle(bed.operation, request);
    await bed.clock.advance(1_000);
    leave?.();
    expect((await bed.clock.resolve(replying, 0))?.status).toBe(202);
  });

  it('streams the new intent from seq 1', async () => {
    const bed = openBed(async () => respond());
    const reply = await bed.handle('POST', '/', { headers: { accept: 'text/event-stream' } });
    if (reply.kind !== 'stream') throw new Error('It is no stream.');
    expect(reply.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      incremental: '?1',
    });
    const sink = new TestSink();
    reply.open(sink);
    await bed.clock.until(() => sink.state === 'ended', 100);
    expect(sink.seqs).toEqual([1, 2, 3, 4, 5].slice(0, sink.seqs.length));
    expect(sink.events.at(-1)?.event_type).toBe('intent.completed');
  });

  it('makes one intent of a key, however it is spelled and wherever it is sent', async () => {
    const data = memoryData();
    const clock = new VirtualClock();
    const { handler } = gatedHandler();
    const beds = [1, 2, 3].map(() => openBed(handler, { data, clock, store: memoryStore(data) }));
    const replies = beds.flatMap((bed) =>
      ['k-1', '"k-1"', 'k-1'].map((key) =>
        bed.api.handle(
          bed.operation,
          plainRequest('POST', '/', { headers: { 'idempotency-key': key } }),
        ),
      ),
    );
    const all = await clock.resolve(Promise.all(replies));
    const bodies = all.map((reply) => reply && submittedSchema.parse(jsonOf(reply)));
    expect(new Set(bodies.map((body) => body?.intent_id)).size).toBe(1);
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    expect(all.filter((reply) => reply?.headers['idempotency-replayed'] === 'true').length).toBe(8);
    expect(data.entries.size).toBe(1);
  });

  it('refuses a key that was used for another request', async () => {
    const bed = openBed(async () => respond());
    const headers = { 'idempotency-key': 'k' };
    await bed.submit({ headers });
    const other = await bed.handle('POST', '/', { headers, body: { quarter: 'Q4' } });
    expect(other.status).toBe(422);
    expect(jsonOf(other)).toMatchObject({ code: 'idempotency_key_reused', retryable: false });
    expect(bed.data.entries.size).toBe(1);
  });

  it('replays the finished response to who waits', async () => {
    const bed = openBed(async () => respond({ rows: 3 }));
    const headers = { 'idempotency-key': 'k', prefer: 'wait=1' };
    await bed.handle('POST', '/', { headers });
    const again = await bed.handle('POST', '/', { headers });
    expect(again).toMatchObject({ status: 200, headers: { 'idempotency-replayed': 'true' } });
    expect(jsonOf(again)).toEqual({ rows: 3 });
  });

  it('asks for a key where one is required', async () => {
    const bed = openBed(async () => respond(), { operation: { requireIdempotencyKey: true } });
    const reply = await bed.handle('POST', '/');
    expect(reply.status).toBe(400);
    expect(problemSchema.parse(jsonOf(reply)).code).toBe('idempotency_key_required');
  });
});

describe('GET', () => {
  it('answers the snapshot with a tag of its seq, and 304 to who has it', async () => {
    const { handler } = gatedHandler();
    const bed = openBed(handler);
    const id = await bed.submit();
    const reply = await bed.handle('GET', `/${id}`);
    const { etag = '' } = reply.headers;
    expect(snapshotSchema.parse(jsonOf(reply))).toMatchObject({ intent_id: id, seq: 4 });
    expect(etag).toBe(`"${id}-4"`);
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const again = await bed.handle('GET', `/${id}`, { headers: { 'if-none-match': known } });
      expect(again).toMatchObject({ status: 304, body: '' });
    }
    const stale = await bed.handle('GET', `/${id}`, { headers: { 'if-none-match': '"x"' } });
    expect(stale.status).toBe(200);
  });

  it('waits for a change of what the client has', async () => {
    const { calls, handler } = gatedHandler();
    const bed = openBed(handler);
    const id = await bed.submit();
    const etag = (await bed.handle('GET', `/${id}`)).headers['etag'] ?? '';
    const headers = { prefer: 'wait=10', 'if-none-match': etag };
    const waiting = bed.api.handle(bed.operation, plainRequest('GET', `/${id}`, { headers }));
    await bed.clock.advance(2_000);
    callAt(calls, 0).context.progress(0.5);
    const reply = await bed.clock.resolve(waiting, 0);
    expect(reply).toMatchObject({ status: 200, headers: { 'preference-applied': 'wait=10' } });
    const unchanged = await bed.handle('GET', `/${id}`, {
      headers: { ...headers, 'if-none-match': `"${id}-5"`, prefer: 'wait=1' },
    });
    expect(unchanged.status).toBe(304);
  });

  it('answers 204 to an observer who has seen the end, and the end to who has not', async () => {
    const bed = openBed(async () => respond());
    const id = await bed.submit();
    await ended(bed, id);
    const { seq } = await bed.snapshot(id);
    for (const after of [seq, seq + 7]) {
      const headers = { 'last-event-id': String(after), accept: 'text/event-stream' };
      expect((await bed.handle('GET', `/${id}/events`, { headers })).status).toBe(204);
      const query = `since=${after}`;
      expect((await bed.handle('GET', `/${id}/events`, { query })).status).toBe(204);
    }
    const sink = await bed.observe(id, { headers: { 'last-event-id': String(seq - 1) } });
    await settled();
    expect(sink).toMatchObject({ seqs: [seq], state: 'ended' });
    const all = await bed.observe(id);
    await settled();
    expect(all.seqs.length).toBe(seq);
  });

  it('lists the events as JSON for who accepts only that', async () => {
    const bed = openBed(async () => respond());
    const id = await bed.submit();
    await ended(bed, id);
    const headers = { accept: 'application/json' };
    const reply = await bed.handle('GET', `/${id}/events`, { headers, query: 'since=2' });
    const { events } = eventListSchema.parse(jsonOf(reply));
    expect(events.map((event) => event.seq)).toEqual([3, 4, 5].slice(0, events.length));
    expect(events.length).toBeGreaterThan(1);
    const none = await bed.handle('GET', `/${id}/events`, { headers: { accept: 'text/html' } });
    expect(none.status).toBe(406);
  });

  it('ends a stream after wait_seconds', async () => {
    const { handler } = gatedHandler();
    const bed = openBed(handler);
    const id = await bed.submit();
    const sink = await bed.observe(id, { query: 'wait_seconds=2' });
    await bed.clock.advance(1_999);
    expect(sink.state).toBe('open');
    await bed.clock.advance(1);
    expect(sink.state).toBe('ended');
  });

  it('answers the stored response, and why there is none', async () => {
    const { calls, handler } = gatedHandler();
    const bed = openBed(handler, { operation: { retries: 0 } });
    const id = await bed.submit();
    const early = await bed.handle('GET', `/${id}/result`);
    expect(early.status).toBe(409);
    expect(jsonOf(early)).toMatchObject({
      code: 'intent_not_finished',
      links: { events: `${PATH}/${id}/events` },
    });
    callAt(calls, 0).fail(new Error('It broke'));
    await ended(bed, id);
    const failed = await bed.handle('GET', `/${id}/result`);
    expect(failed.status).toBe(500);
    expect(problemSchema.parse(jsonOf(failed))).toMatchObject({
      code: 'intent_failed',
      detail: 'The operation failed: It broke. Submit it again to try anew.',
      error: { code: 'handler_error' },
    });
  });

  it('does not advise to submit again what no retry mends', async () => {
    const bed = openBed(async () => {
      throw new NonRetryableError('No such quarter.');
    });
    const id = await bed.submit();
    await ended(bed, id);
    expect(problemSchema.parse(jsonOf(await bed.handle('GET', `/${id}/result`))).detail).toBe(
      'The operation failed: No such quarter. The same request is likely to fail again: mend what it says first.',
    );
  });
});

describe('an intent of somebody else', () => {
  it('is the same 404 as one that does not exist, on every route', async () => {
    const bed = openBed(async () => respond(), {
      identify: (source) => source,
      authorize: (source) => source !== 'guest',
    });
    const id = await bed.submit({ source: 'ann' });
    const other = bed.api.declare({ name: 'other', run: async () => respond() });
    for (const [method, part] of [
      ['GET', ''],
      ['GET', '/events'],
      ['GET', '/result'],
      ['DELETE', ''],
      ['POST', '/cancel'],
    ] as const) {
      const asked = await bed.handle(method, `/${UNKNOWN}${part}`, { source: 'ann' });
      const foreign = await bed.handle(method, `/${id}${part}`, { source: 'bob' });
      const elsewhere = await bed.clock.resolve(
        bed.api.handle(other, plainRequest(method, `/${id}${part}`, { source: 'ann' })),
      );
      expect(asked.status).toBe(404);
      expect(foreign).toEqual(asked);
      expect(elsewhere).toEqual(asked);
    }
    expect((await bed.handle('GET', `/${id}`, { source: 'ann' })).status).toBe(200);
  });

  it('is hidden by authorize too', async () => {
    let isAllowed = true;
    const bed = openBed(async () => respond(), { authorize: () => isAllowed });
    const id = await bed.submit();
    isAllowed = false;
    expect((await bed.handle('GET', `/${id}`)).status).toBe(404);
  });

  it('shares no idempotency key', async () => {
    const bed = openBed(async () => respond(), { identify: (source) => source });
    const headers = { 'idempotency-key': 'k' };
    const ids = [
      await bed.submit({ source: 'ann', headers }),
      await bed.submit({ source: 'bob', headers }),
    ];
    expect(new Set(ids).size).toBe(2);
  });
});

describe('any request at all', () => {
  const header = fc.oneof(
    fc.constantFrom(
      '',
      'wait=1',
      'wait=x',
      'respond-async, wait="2"',
      '"k"',
      'k',
      'text/event-stream',
      'application/json',
      '*/*;q=0',
      '1',
      '-1',
      '99999999999999999999',
      '*',
    ),
    fc.string({ maxLength: 30, unit: 'binary' }),
  );
  const headers = fc.record(
    {
      accept: header,
      prefer: header,
      'idempotency-key': header,
      'if-none-match': header,
      'last-event-id': header,
      'content-type': header,
    },
    { requiredKeys: [] },
  );
  const body = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom<unknown>(
      undefined,
      1n,
      NaN,
      JSON.parse('{"__proto__":1}'),
      'x\0',
      '\ud800',
      new Uint8Array([1, 2]),
      new Map([[1, 2]]),
      Object.create(null),
      'x'.repeat(300_000),
    ),
  );

  it('is answered, never by an internal error, and every problem says what to do', async () => {
    const errors: unknown[] = [];
    const nothing = (): void => {};
    const bed = openBed(async () => respond(), {
      logger: { debug: nothing, info: nothing, warn: nothing, error: (...all) => errors.push(all) },
    });
    const known = await bed.submit();
    const segment = fc.oneof(
      fc.constantFrom(known, UNKNOWN, 'events', 'result', 'cancel', '', known.toUpperCase()),
      fc.string({ maxLength: 12, unit: 'binary' }),
    );
    const request = fc.record({
      method: fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE', 'PUT', 'OPTIONS'),
      path: fc.oneof(
        { arbitrary: fc.constantFrom('/', `/${known}`, `/${known}/events`), weight: 3 },
        { arbitrary: fc.array(segment, { maxLength: 4 }).map((s) => `/${s.join('/')}`), weight: 1 },
      ),
      query: fc.oneof(
        fc.constantFrom('', 'since=1', 'since=x', 'wait_seconds=1', 'wait_seconds=999999999999999'),
        fc.string({ maxLength: 30, unit: 'binary' }),
      ),
      headers,
      body,
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ method, path, ...parts }) => {
        const reply = await bed.clock.resolve(
          bed.api.handle(bed.operation, plainRequest(method, path, parts)),
          120_000,
        );
        if (reply !== null) check(reply);
      }),
      { numRuns: 4_000 },
    );
    expect(errors).toEqual([]);
    await bed.clock.resolve(bed.api.stop({ graceMs: 0 }));
    expect(bed.clock.pending).toBe(0);
  });

  function check(reply: PlainReply): void {
    for (const [name, value] of Object.entries(reply.headers)) {
      expect(name).toMatch(/^[a-z-]+$/);
      expect(value).toMatch(/^[\x20-\x7e]*$/);
    }
    if (reply.kind === 'stream') {
      const sink = new TestSink();
      reply.open(sink);
      sink.close();
      return;
    }
    if (reply.status < 400) return;
    expect(reply.headers['content-type']).toContain('application/problem+json');
    const problem = problemSchema.parse(jsonOf(reply));
    expect(problem.status).toBe(reply.status);
    expect(problem.code).not.toBe('internal_error');
    expect(problem.detail.length).toBeGreaterThan(20);
  }

  it('is answered when the app’s own hooks throw, without a word of why', async () => {
    const bed = openBed(async () => respond(), {
      identify: () => {
        throw new Error('secret');
      },
    });
    const reply = await bed.handle('POST', '/');
    expect(reply.status).toBe(500);
    expect(JSON.stringify(jsonOf(reply))).not.toContain('secret');
  });

  it('is refused when nobody is named', async () => {
    for (const nobody of [undefined, null, '', 5]) {
      // @ts-expect-error Not everybody has types.
      const bed = openBed(async () => respond(), { identify: () => nobody });
      expect((await bed.handle('POST', '/')).status).toBe(403);
    }
  });

  it('is left to the app when it is none of the operation’s', async () => {
    const bed = openBed(async () => respond());
    const request: PlainRequest<string> = plainRequest('GET', '/list');
    expect(await bed.api.handle(bed.operation, request)).toBeNull();
  });
});
