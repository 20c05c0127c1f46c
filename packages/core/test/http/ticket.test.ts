import { ticketSchema, type WireTicket } from '@durable-api/protocol';
import { describe, expect, it } from 'vitest';
import { DurableApi } from '../../src/durable-api.ts';
import type { PlainReply } from '../../src/http/exchange.ts';
import { memoryStore } from '../../src/store/memory-store.ts';
import {
  jsonOf,
  openBed,
  plainRequest,
  respond,
  type Bed,
  type BedOptions,
} from '../support/bed.ts';
import { TestSink } from '../support/test-sink.ts';

const tickets = { secret: 'a secret that all processes share, 1' };
const identify = (source: string): string => source;
const alice = { source: 'alice' };

const open = (options: BedOptions = {}): Bed =>
  openBed(async () => respond(), { tickets, identify, ...options });

async function mint(bed: Bed, id: string): Promise<WireTicket> {
  const reply = await bed.handle('POST', `/${id}/ticket`, alice);
  expect(reply.status).toBe(200);
  return ticketSchema.parse(jsonOf(reply));
}

/** Opens a URL without credentials, as `EventSource` does. */
function follow(bed: Bed, id: string, ticket: string, api = bed.api): Promise<PlainReply | null> {
  const headers = { accept: 'text/event-stream' };
  const request = plainRequest('GET', `/${id}/events`, { query: `ticket=${ticket}`, headers });
  return bed.clock.resolve(api.handleTicket(request));
}

async function seqsOf(bed: Bed, reply: PlainReply | null): Promise<number[]> {
  if (reply?.kind !== 'stream') throw new Error(`Answered ${reply?.status}, not a stream.`);
  const sink = new TestSink();
  reply.open(sink);
  await bed.clock.advance(1);
  return sink.seqs;
}

describe('a ticket', () => {
  it('opens the stream of its intent without other credentials', async () => {
    const bed = open();
    const id = await bed.submit(alice);
    const ticket = await mint(bed, id);
    expect(ticket).toMatchObject({
      intent_id: id,
      url: `/reports/${id}/events?ticket=${ticket.ticket}`,
      expires_at: new Date(bed.clock.now() + 30_000).toISOString(),
    });
    expect(ticket.ticket).toMatch(/^[\w.-]+$/);
    const seqs = await seqsOf(bed, await follow(bed, id, ticket.ticket));
    expect(seqs).toEqual([1, 2, 3, 4, 5]);
  });

  it('is asked for by who may see the intent, and nobody else', async () => {
    const bed = open();
    const id = await bed.submit(alice);
    const foreign = await bed.handle('POST', `/${id}/ticket`, { source: 'mallory' });
    expect(jsonOf(foreign)).toMatchObject({ code: 'intent_not_found' });
    const hidden = open({ authorize: () => false, data: bed.data });
    expect((await hidden.handle('POST', `/${id}/ticket`, alice)).status).toBe(404);
  });

  it('works once, also on another process with the same store', async () => {
    const bed = open();
    const id = await bed.submit(alice);
    const { ticket } = await mint(bed, id);
    const other = new DurableApi<string>({
      store: memoryStore(bed.data),
      clock: bed.clock,
      tickets,
      identify,
    });
    expect(await follow(bed, id, ticket, other)).toMatchObject({ status: 200 });
    for (const api of [bed.api, other]) {
      const again = await follow(bed, id, ticket, api);
      expect(again).toMatchObject({ status: 401 });
    }
  });

  it('works once under a race', async () => {
    const bed = open();
    const id = await bed.submit(alice);
    const { ticket } = await mint(bed, id);
    const replies = await Promise.all(Array.from({ length: 5 }, () => follow(bed, id, ticket)));
    expect(replies.filter((reply) => reply?.status === 200).length).toBe(1);
    expect(replies.filter((reply) => reply?.status === 401).length).toBe(4);
  });

  it('expires', async () => {
    const bed = open({ tickets: { ...tickets, ttlMs: 1_000 } });
    const id = await bed.submit(alice);
    const [early, late] = [await mint(bed, id), await mint(bed, id)];
    await bed.clock.advance(999);
    expect(await follow(bed, id, early.ticket)).toMatchObject({ status: 200 });
    await bed.clock.advance(1);
    expect(await follow(bed, id, late.ticket)).toMatchObject({ status: 401 });
  });

  it('opens no other intent, and nothing when a character of it is changed', async () => {
    const bed = open();
    const [mine, other] = [await bed.submit(alice), await bed.submit(alice)];
    const { ticket } = await mint(bed, mine);
    const tampered = Array.from(ticket, (character, i) => {
      const by = character === 'a' ? 'b' : 'a';
      return ticket.slice(0, i) + by + ticket.slice(i + 1);
    });
    for (const wrong of [...tampered, '', 'x', `${ticket}a`, ticket.slice(1)]) {
      const reply = await follow(bed, mine, wrong);
      expect(reply, wrong).toMatchObject({ status: 401 });
      if (reply !== null) expect(jsonOf(reply)).toMatchObject({ code: 'ticket_invalid' });
    }
    expect(await follow(bed, other, ticket)).toMatchObject({ status: 401 });
    expect(await follow(bed, mine, ticket)).toMatchObject({ status: 200 });
  });

  it('of another secret opens nothing', async () => {
    const bed = open();
    const id = await bed.submit(alice);
    const { ticket } = await mint(bed, id);
    const secret = 'another secret, also 32 characters';
    const other = open({ data: bed.data, clock: bed.clock, tickets: { secret } });
    expect(await follow(other, id, ticket)).toMatchObject({ status: 401 });
  });

  it('opens the stream only: no result, no snapshot, no cancel', async () => {
    const bed = open();
    const id = await bed.submit(alice);
    const { ticket } = await mint(bed, id);
    const query = `ticket=${ticket}`;
    const wrong = [
      ['GET', `/${id}`],
      ['GET', `/${id}/result`],
      ['POST', `/${id}/cancel`],
      ['HEAD', `/${id}/events`],
      ['POST', '/'],
    ] as const;
    for (const [method, path] of wrong) {
      expect(await bed.api.handleTicket(plainRequest(method, path, { query }))).toBe(null);
      expect((await bed.handle(method, path, { query })).status).toBe(403);
    }
  });

  it('works behind the authentication, too, and continues after what was seen', async () => {
    const bed = open();
    const id = await bed.submit(alice);
    await bed.clock.advance(10);
    const { ticket } = await mint(bed, id);
    const sink = await bed.observe(id, { query: `ticket=${ticket}&since=3` });
    await bed.clock.advance(1);
    expect(sink.seqs).toEqual([4, 5]);
  });
});

describe('tickets', () => {
  it('are off by default: the path is the app’s own', async () => {
    const bed = openBed(async () => respond());
    const id = await bed.submit();
    const request = plainRequest('POST', `/${id}/ticket`);
    expect(await bed.clock.resolve(bed.api.handle(bed.operation, request))).toBe(null);
    expect(await follow(bed, id, 'x')).toBe(null);
  });

  it('take a long secret, which no message repeats, and at most a minute', () => {
    expect(() => open({ tickets: { secret: 'hunter2' } })).toThrow(
      /tickets.secret: must be a secret/,
    );
    expect(() => open({ tickets: { secret: 'hunter2' } })).not.toThrow(/hunter2/);
    expect(() => open({ tickets: { ...tickets, ttlMs: 60_001 } })).toThrow(/tickets.ttlMs/);
  });
});
