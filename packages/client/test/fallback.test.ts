import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { DurableClient, type RetryNotice } from '../src/index.ts';
import { StreamHealth } from '../src/stream-health.ts';
import { ApiServer } from './api-server.ts';

const isStream = (req: IncomingMessage): boolean => req.headers.accept === 'text/event-stream';
const inOrder = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

/** What stands between client and server may do to a stream. */
const obstacles: Record<string, (res: ServerResponse) => unknown> = {
  'refuses the media type': (res) => res.writeHead(406).end(),
  'refuses it with a page of its own': (res) =>
    res.writeHead(403, { 'content-type': 'text/html' }).end('<h1>Blocked</h1>'),
  'refuses to forward as bytes arrive (RFC 10036)': (res) => res.writeHead(501).end(),
  'answers with a page': (res) =>
    res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Please wait</h1>'),
  'holds it back to the end': () => {},
  'sends the head and holds back the body': (res) =>
    res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(),
  'resets the connection': (res) => res.destroy(),
};

describe.each(Object.entries(obstacles))('where something %s', (_, block) => {
  it('events come by long-polling instead, in order, each once', async () => {
    const release = Promise.withResolvers<void>();
    await using server = await ApiServer.start({
      operations: {
        report: (_, context) => {
          context.progress(0.5);
          return release.promise;
        },
      },
      before: (req, res) => {
        if (isStream(req)) block(res);
        return isStream(req);
      },
    });
    await using client = new DurableClient(server.url, {
      heartbeatMs: 150,
      backoff: { baseMs: 1, maxMs: 20 },
    });
    const operation = await client.submit('/report', {});
    const types: string[] = [];
    const seqs: number[] = [];
    for await (const { seq, event_type: type } of operation.observe()) {
      seqs.push(seq);
      types.push(type);
      if (type === 'intent.progress') {
        void vi
          .waitFor(() => {
            // A long poll is open: it says what it knows, and waits for more.
            const last = server.received.at(-1)?.headers;
            expect(last).toMatchObject({ prefer: 'wait=20', 'if-none-match': expect.any(String) });
          })
          .then(() => release.resolve());
      }
    }
    expect(seqs).toEqual(inOrder(seqs.length));
    expect(types.at(-1)).toBe('intent.completed');
    expect(await operation.result()).toBe(null);

    const streams = server.received.filter((r) => r.headers.accept === 'text/event-stream').length;
    const again = await Array.fromAsync(operation.observe());
    expect(again.map(({ seq }) => seq)).toEqual(seqs);
    expect(server.received.filter((r) => r.headers.accept === 'text/event-stream')).toHaveLength(
      streams,
    );
  });
});

describe('long-polling', () => {
  it('goes on over a server that is killed and comes back', async () => {
    const release = Promise.withResolvers<void>();
    const first = await ApiServer.start({
      operations: { report: () => release.promise },
      options: { leaseMs: 300 },
      before: (req, res) => isStream(req) && res.writeHead(406).end() !== undefined,
    });
    const notices: RetryNotice[] = [];
    await using client = new DurableClient(first.url, {
      backoff: { baseMs: 20, maxMs: 100 },
      onRetry: (notice) => void notices.push(notice),
    });
    const operation = await client.submit('/report', {});
    const seqs: number[] = [];
    const observed = (async () => {
      for await (const { seq } of operation.observe()) seqs.push(seq);
    })();
    await vi.waitFor(() => expect(seqs).toHaveLength(4));
    await first.kill();
    await vi.waitFor(() => expect(notices.length).toBeGreaterThan(2));
    await using second = await first.restart();
    release.resolve();
    await observed;
    expect(seqs).toEqual(inOrder(seqs.length));
    expect(seqs.length).toBeGreaterThan(5);
    expect(second.count('GET', /events\?since/)).toBeGreaterThan(0);
  });

  it('ends at once when there is nothing more to come', async () => {
    await using server = await ApiServer.start({
      operations: { report: () => null },
      before: (req, res) => isStream(req) && res.writeHead(406).end() !== undefined,
    });
    await using client = new DurableClient(server.url);
    const operation = await client.submit('/report', {});
    const events = await Array.fromAsync(operation.observe());
    expect(await Array.fromAsync(operation.observe({ after: events.length }))).toEqual([]);
  });

  it('says what is wrong when it is not about streams', async () => {
    await using server = await ApiServer.start({ operations: { report: () => null } });
    await using client = new DurableClient(server.url);
    await expect(client.operation('/nowhere/an-id').observe().next()).rejects.toMatchObject({
      code: 'http_error',
      status: 404,
    });
  });
});

describe('the health of streams', () => {
  it('is not doubted because the server is away for a while', () => {
    const health = new StreamHealth(false);
    for (let i = 0; i < 20; i += 1) {
      health.failed();
      if (health.wantsPoll) health.pollFailed();
    }
    expect(health.isBlocked).toBe(false);
    // The server is back just as a poll is tried; the next look is a stream again.
    for (let i = 0; i < 4; i += 1) health.failed();
    expect(health.wantsPoll).toBe(true);
    health.polled();
    expect(health.wantsPoll).toBe(false);
    health.flowed();
    for (let i = 0; i < 3; i += 1) health.failed();
    expect(health.wantsPoll).toBe(false);
  });

  it('is given up once polls get through twice where streams do not', () => {
    const health = new StreamHealth(false);
    health.refused();
    health.polled();
    health.refused();
    expect(health.isBlocked).toBe(false);
    health.polled();
    expect(health.isBlocked).toBe(true);
  });

  it('is known from what another observer has learnt', () => {
    expect(new StreamHealth(true).wantsPoll).toBe(true);
    expect(new StreamHealth(false).wantsPoll).toBe(false);
  });
});
