import { describe, expect, it } from 'vitest';
import { HandlerFault } from '../../src/handler-fault.ts';
import { memoryData } from '../../src/store/memory-store.ts';
import { packOutput, unfinishedBytes, unpackOutput } from '../../src/handler/output-chunk.ts';
import type { StreamSink } from '../../src/observe/stream-sink.ts';
import type { Bed } from '../support/bed.ts';
import { bedOf, detailsOf, type Body } from '../support/handled.ts';

const NO_WAIT = { backoff: { baseMs: 0 } } as const;

/** A client that keeps what it is sent. */
class RawSink implements StreamSink {
  text = '';
  state: 'open' | 'ended' | 'broken' = 'open';
  readonly headers: Readonly<Record<string, string>>;

  constructor(headers: Readonly<Record<string, string>>) {
    this.headers = headers;
  }

  write(chunk: string | Uint8Array): boolean {
    this.text += Buffer.from(chunk).toString('utf8');
    return true;
  }

  end(chunk = ''): void {
    this.text += chunk;
    this.state = 'ended';
  }

  destroy(): void {
    this.state = 'broken';
  }

  on(): void {}
}

/** What `GET P/{id}/output` gives from now on; null when it is no stream. */
async function follow(bed: Bed, id: string, accept = '*/*', query = ''): Promise<RawSink> {
  const reply = await bed.handle('GET', `/${id}/output`, { headers: { accept }, query });
  const sink = new RawSink(reply.headers);
  if (reply.kind === 'stream') reply.open(sink);
  else sink.end(`${reply.status} ${Buffer.from(reply.body).toString('utf8')}`);
  // What it lacks is read first.
  await bed.clock.advance(0);
  return sink;
}

const sleepHere = (bed: Bed, ms: number): Promise<void> =>
  new Promise((resolve) => bed.clock.setTimeout(resolve, ms));

describe('what a handler puts out', () => {
  it('is shown as it comes, in batches, and in the end it is all there', async () => {
    const bed: Bed = bedOf(async ({ emit }) => {
      for (let i = 0; i < 100; i += 1) {
        void emit(`${i},`);
        await sleepHere(bed, 10);
      }
    });
    const id = await bed.submit();
    await bed.clock.advance(100);
    const sink = await follow(bed, id);
    expect(sink.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(sink.text.startsWith('0,1,')).toBe(true);
    await bed.clock.advance(5_000);
    const all = Array.from({ length: 100 }, (_, i) => `${i},`).join('');
    expect(sink).toMatchObject({ text: all, state: 'ended' });
    expect((await follow(bed, id)).text).toBe(all);
    const events = detailsOf(bed, id, 'output');
    expect(events.length).toBeLessThan(40);
    expect(events[0]).toEqual({ text: '0,', content_type: 'text/plain; charset=utf-8' });
    expect(events[1]).not.toHaveProperty('content_type');
  });

  it('is void when its attempt fails, and counts when a later one completes', async () => {
    const bed = bedOf(
      async ({ emit, attempt }) => {
        await emit(`attempt ${attempt}`);
        await sleepHere(bed, 100);
        if (attempt < 3) throw new Error('Not yet.');
        await emit(', done');
      },
      { operation: { backoff: { baseMs: 1_000 }, retries: 5 }, random: () => 0.999 },
    );
    const id = await bed.submit();
    await bed.clock.advance(50);
    const early = await follow(bed, id);
    const events = await follow(bed, id, 'application/x-ndjson');
    expect(early.text).toBe('attempt 1');
    await bed.clock.advance(10_000);
    // Bytes cannot be taken back: the client has to come again.
    expect(early).toMatchObject({ text: 'attempt 1', state: 'broken' });
    const told = events.text
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
    expect(told.map((e) => [e.event_type, e.attempt, e.details?.text, e.details?.reset])).toEqual([
      ['intent.output', 1, 'attempt 1', undefined],
      ['intent.output', 1, undefined, true],
      ['intent.output', 2, 'attempt 2', undefined],
      ['intent.output', 2, undefined, true],
      ['intent.output', 3, 'attempt 3', undefined],
      ['intent.output', 3, ', done', undefined],
      ['intent.completed', 3, undefined, undefined],
    ]);
    expect(await follow(bed, id)).toMatchObject({ text: 'attempt 3, done', state: 'ended' });
  });

  it('of an attempt that nobody ended is void when the next one begins', async () => {
    const data = memoryData();
    const gate = Promise.withResolvers<void>();
    const first = bedOf(async ({ emit }) => (await emit('lost'), gate.promise), { data });
    const id = await first.submit();
    await first.clock.advance(10);
    expect(detailsOf(first, id, 'output')).toMatchObject([{ text: 'lost' }]);
    // The process is gone: it renews nothing any more.
    const entry = data.entries.get(id);
    if (entry === undefined) throw new Error('The intent is there.');
    entry.record = { ...entry.record, dueAt: first.clock.now() };
    const second = bedOf(async () => 'quiet', { data, clock: first.clock });
    await first.clock.advance(1_000);
    expect((await second.snapshot(id)).status).toBe('COMPLETED');
    expect(detailsOf(second, id, 'output')).toMatchObject([{ text: 'lost' }, { reset: true }]);
    expect((await follow(second, id)).text).toBe('200 "quiet"');
  });

  it('in a step is put out again when the step is not', async () => {
    const runs: number[] = [];
    const bed = bedOf(
      async ({ emit, step, attempt }) => {
        await emit('<');
        await step('llm', async () => {
          runs.push(attempt);
          await emit('to');
          await emit(Buffer.from('ken'));
        });
        await emit('>');
        if (attempt === 1) throw new Error('Not yet.');
      },
      { operation: NO_WAIT },
    );
    const id = await bed.submit();
    await bed.clock.advance(5_000);
    expect(runs).toEqual([1]);
    expect((await follow(bed, id)).text).toBe('<token>');
  });

  it('stays while the handler waits, and is told anew when it goes on', async () => {
    const bed = bedOf(async ({ emit, step, waitFor }) => {
      await step('draft', () => emit('draft'));
      await waitFor('approved');
      await emit('!');
    });
    const id = await bed.submit();
    await bed.clock.advance(1_000);
    const events = await follow(bed, id, 'text/event-stream');
    expect(events.headers['content-type']).toBe('text/event-stream');
    expect(events.text).toContain('"text":"draft"');
    expect(events.text).not.toContain('reset');
    await bed.handle('POST', `/${id}/signals/approved`);
    await bed.clock.advance(1_000);
    expect(events.text.match(/"reset":true/g)).toHaveLength(1);
    expect(events).toMatchObject({ state: 'ended' });
    expect((await follow(bed, id)).text).toBe('draft!');
  });

  it('of a canceled intent breaks off', async () => {
    const bed = bedOf(async ({ emit, sleep }) => (await emit('half'), sleep(1_000)));
    const id = await bed.submit();
    await bed.clock.advance(10);
    const sink = await follow(bed, id);
    await bed.handle('POST', `/${id}/cancel`);
    await bed.clock.advance(10);
    expect(sink).toMatchObject({ text: 'half', state: 'broken' });
    expect(await follow(bed, id)).toMatchObject({ text: 'half', state: 'broken' });
  });

  it('can be followed from where one has left off', async () => {
    const bed = bedOf(async ({ emit }) => {
      await emit('a');
      await sleepHere(bed, 100);
      await emit('b');
    });
    const id = await bed.submit();
    await bed.clock.advance(1_000);
    const all = (await follow(bed, id, 'application/x-ndjson')).text.trim().split('\n');
    const { seq } = JSON.parse(all[0] ?? '');
    const rest = await follow(bed, id, 'application/x-ndjson', `since=${seq}`);
    expect(rest.text.trim().split('\n')).toEqual(all.slice(1));
  });

  it('is nothing of a handler without any, whose answer comes instead', async () => {
    const bed = bedOf(async () => ({ done: true }));
    const id = await bed.submit();
    await bed.clock.advance(10);
    const sink = await follow(bed, id);
    expect(sink.text).toBe('200 {"done":true}');
    expect(sink.headers['content-type']).toBe('application/json');
  });

  it.each<[string, string, Body]>([
    [
      'of more than is kept',
      'output_too_large',
      async ({ emit }) => {
        for (let i = 0; i < 20; i += 1) await emit('x'.repeat(1_000));
      },
    ],
    [
      'of more than is kept, though nobody waits for it',
      'output_too_large',
      async ({ emit }) => {
        for (let i = 0; i < 20; i += 1) void emit('x'.repeat(1_000));
      },
    ],
    // @ts-expect-error Not everybody has types.
    ['of neither text nor bytes', 'output_invalid', async ({ emit }) => void emit({ a: 1 })],
  ])('%s fails the intent', async (_, code, body) => {
    const bed = bedOf(body, { limits: { maxOutputBytes: 10_000 } });
    const id = await bed.submit();
    await bed.clock.advance(5_000);
    expect((await bed.snapshot(id)).error).toMatchObject({ code, retryable: false });
  });

  it('in more events than an intent has fails it', async () => {
    const bed = bedOf(
      async ({ emit }) => {
        for (let i = 0; i < 200; i += 1) {
          await emit('x');
          await sleepHere(bed, 60);
        }
      },
      { limits: { maxEventCount: 100 }, operation: { timeoutMs: 3_600_000 } },
    );
    const id = await bed.submit();
    await bed.clock.advance(600_000);
    const { error } = await bed.snapshot(id);
    expect(error).toMatchObject({ code: new HandlerFault('too_many_events', '').code });
  });
});

describe('a piece of output', () => {
  it.each([
    ['', 0],
    ['abc', 0],
    ['é', 0],
    ['😀', 0],
  ])('"%s" is whole', (text, left) => {
    expect(unfinishedBytes(Buffer.from(text))).toBe(left);
  });

  it.each([1, 2, 3])('without its last %i bytes is begun by those before', (cut) => {
    const emoji = Buffer.from('a😀');
    expect(unfinishedBytes(emoji.subarray(0, 5 - cut))).toBe(4 - cut);
  });

  it('comes back as it was: long text with wide characters, bytes, NUL', () => {
    for (const bytes of [
      Buffer.from('é😀'.repeat(20_000)),
      Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
      Buffer.from('a\0b'),
    ]) {
      const pieces = packOutput(bytes);
      expect(Buffer.concat(pieces.map((piece) => unpackOutput(piece) ?? Buffer.alloc(0)))).toEqual(
        bytes,
      );
    }
    expect(packOutput(Buffer.from('é😀'.repeat(20_000))).every((piece) => 'text' in piece)).toBe(
      true,
    );
  });
});
