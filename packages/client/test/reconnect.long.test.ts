import { expect, it, vi } from 'vitest';
import { DurableClient, type RetryNotice } from '../src/index.ts';
import { ApiServer } from './api-server.ts';
import { FaultProxy } from './fault-proxy.ts';
import { storeFinished } from './finished-intent.ts';

const limits = { maxObserversPerIntent: 1_000 };
const inOrder = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

/** Bytes between two cuts within one event: 5 makes 12,000 reconnects, 1 cuts at all of 60,000 bytes. */
const STEP = Number(process.env['CUT_STEP'] ?? (process.env['CI'] === undefined ? 25 : 5));

it('misses and doubles nothing when a stream of 200 events is cut at every offset of its head and frames', async () => {
  await using server = await ApiServer.start({
    operations: { report: () => null },
    options: { limits },
  });
  const id = await storeFinished(server.data, 'report', 200);
  await using proxy = await FaultProxy.start(server.port);
  await using client = new DurableClient(proxy.url, { backoff: { baseMs: 0 } });
  const seqs: number[] = [];
  proxy.faults.push(...inOrder(400).map((cutAfterBytes) => ({ cutAfterBytes })));
  const phases = new Set<number>();
  let cutAt = 0;
  let seenAtCut = 0;
  proxy.fallback = () => {
    // Each event is approached in steps, from another first offset.
    const isNext = seqs.length > seenAtCut;
    cutAt = isNext ? seqs.length % STEP : cutAt + STEP;
    seenAtCut = seqs.length;
    phases.add(cutAt);
    return { cutAfterBytes: cutAt, behindHead: true };
  };
  for await (const { seq } of client.operation(`/report/${id}`).observe()) seqs.push(seq);
  expect(seqs).toEqual(inOrder(200));
  expect(proxy.connectionCount).toBeGreaterThan(50_000 / STEP);
  expect(phases.size).toBeGreaterThan(150);
}, 900_000);

it('survives random cuts while the events come in', async () => {
  const gate = Promise.withResolvers<void>();
  await using server = await ApiServer.start({
    operations: {
      report: async (_, context) => {
        for (let i = 1; i <= 20; i += 1) {
          context.progress(i / 20);
          await new Promise((resolve) => void setTimeout(resolve, 110));
        }
        await gate.promise;
      },
    },
    options: { limits },
  });
  await using proxy = await FaultProxy.start(server.port);
  await using client = new DurableClient(server.url);
  const { intentId } = await client.submit('/report', {});
  await using observer = new DurableClient(proxy.url, { backoff: { baseMs: 20, maxMs: 50 } });
  const operation = observer.operation(intentId, { path: '/report' });
  proxy.fallback = () => ({ cutAfterBytes: 350 + Math.floor(Math.random() * 700) });
  const seqs: number[] = [];
  for await (const event of operation.observe()) {
    seqs.push(event.seq);
    if (event.event_type === 'intent.progress' && event.details?.['fraction'] === 1) gate.resolve();
  }
  expect(seqs).toEqual(inOrder(seqs.length));
  expect(seqs.length).toBeGreaterThan(20);
  expect(proxy.connectionCount).toBeGreaterThan(5);
});

it('goes on over a server that is killed and comes back with the same store', async () => {
  const release = Promise.withResolvers<void>();
  const operations = { report: () => release.promise };
  const first = await ApiServer.start({ operations, options: { leaseMs: 300 } });
  await using client = new DurableClient(first.url, { backoff: { baseMs: 50, maxMs: 200 } });
  const notices: RetryNotice[] = [];
  const { url } = await client.submit('/report', {});
  await using observer = new DurableClient(first.url, {
    backoff: { baseMs: 50, maxMs: 200 },
    onRetry: (notice) => void notices.push(notice),
  });
  const seen: [number, string][] = [];
  const observed = (async () => {
    for await (const { seq, event_type: type } of observer.operation(url).observe()) {
      seen.push([seq, type]);
    }
  })();
  await vi.waitFor(() => expect(seen.length).toBeGreaterThanOrEqual(3));
  await first.kill();
  await vi.waitFor(() => expect(notices.length).toBeGreaterThan(2));
  await using second = await first.restart();
  release.resolve();
  await observed;
  expect(seen.map(([seq]) => seq)).toEqual(inOrder(seen.length));
  expect(seen.at(-1)?.[1]).toBe('intent.completed');
  expect(second.count('GET', /events/)).toBe(1);
  expect(second.received.at(-1)?.headers['last-event-id']).toBeDefined();
});

it('reconnects when nothing comes for two heartbeats: a half-open connection', async () => {
  const release = Promise.withResolvers<void>();
  await using server = await ApiServer.start({
    operations: { report: () => release.promise },
    options: { observe: { heartbeatMs: 200 } },
  });
  await using proxy = await FaultProxy.start(server.port);
  const notices: RetryNotice[] = [];
  await using client = new DurableClient(proxy.url);
  const { url } = await client.submit('/report', {});
  await using observer = new DurableClient(proxy.url, {
    heartbeatMs: 200,
    backoff: { baseMs: 1 },
    onRetry: (notice) => void notices.push(notice),
  });
  proxy.faults.push({ freezeAfterBytes: 900 });
  const types: string[] = [];
  const since = performance.now();
  const reconnected = vi.waitFor(() => expect(notices).toHaveLength(1), { timeout: 5_000 });
  void reconnected.finally(() => release.resolve());
  for await (const event of observer.operation(url).observe()) {
    types.push(event.event_type);
  }
  expect(notices).toMatchObject([{ error: { code: 'timeout' }, failures: 1 }]);
  expect(performance.now() - since).toBeGreaterThan(400);
  expect(types.at(-1)).toBe('intent.completed');
});

it('does not take a quiet stream with heartbeats for a dead one', async () => {
  const release = Promise.withResolvers<void>();
  await using server = await ApiServer.start({
    operations: { report: () => release.promise },
    options: { observe: { heartbeatMs: 100 } },
  });
  await using client = new DurableClient(server.url, { heartbeatMs: 100 });
  const operation = await client.submit('/report', {});
  const timer = setTimeout(release.resolve, 1_000);
  const types = (await Array.fromAsync(operation.observe())).map((event) => event.event_type);
  clearTimeout(timer);
  expect(types.at(-1)).toBe('intent.completed');
  expect(server.count('GET', /events/)).toBe(1);
});

it('takes its time over an event without losing the connection', async () => {
  await using server = await ApiServer.start({
    operations: { report: () => null },
    options: { observe: { heartbeatMs: 100 } },
  });
  await using client = new DurableClient(server.url, { heartbeatMs: 100 });
  const operation = await client.submit('/report', {});
  let count = 0;
  for await (const event of operation.observe()) {
    count += 1;
    if (event.seq === 2) await new Promise((resolve) => void setTimeout(resolve, 500));
  }
  expect(count).toBe(5);
  expect(server.count('GET', /events/)).toBe(1);
});

it('comes back when the server says, if the server ended the stream itself', async () => {
  const asked: number[] = [];
  const release = Promise.withResolvers<void>();
  await using server = await ApiServer.start({
    operations: { report: () => release.promise },
    before: ({ url = '' }, res) => {
      if (!url.endsWith('/events')) return false;
      asked.push(performance.now());
      if (asked.length > 1) return false;
      res.writeHead(200, { 'content-type': 'text/event-stream' }).end('retry: 1234\n\n');
      return true;
    },
  });
  const notices: RetryNotice[] = [];
  await using client = new DurableClient(server.url, {
    onRetry: (notice) => void notices.push(notice),
  });
  const operation = await client.submit('/report', {});
  for await (const { seq } of operation.observe()) if (seq === 4) release.resolve();
  expect(notices).toMatchObject([{ error: null, delayMs: 1234 }]);
  const [first = 0, second = 0] = asked;
  expect(second - first).toBeGreaterThanOrEqual(1_230);
});

it('comes back when Retry-After says', async () => {
  const asked: number[] = [];
  await using server = await ApiServer.start({
    operations: { report: () => null },
    before: ({ url = '' }, res) => {
      if (!url.endsWith('/events')) return false;
      asked.push(performance.now());
      if (asked.length > 1) return false;
      res.writeHead(503, { 'retry-after': '1' }).end();
      return true;
    },
  });
  await using client = new DurableClient(server.url, { backoff: { baseMs: 0 } });
  const operation = await client.submit('/report', {});
  expect(await Array.fromAsync(operation.observe())).toHaveLength(5);
  const [first = 0, second = 0] = asked;
  expect(second - first).toBeGreaterThanOrEqual(995);
});

it('follows an intent over a draining server to the next one', async () => {
  const release = Promise.withResolvers<void>();
  const operations = { report: () => release.promise };
  const first = await ApiServer.start({ operations });
  const notices: RetryNotice[] = [];
  await using client = new DurableClient(first.url, {
    onRetry: (notice) => void notices.push(notice),
  });
  const operation = await client.submit('/report', {});
  const seqs: number[] = [];
  const observed = (async () => {
    for await (const { seq } of operation.observe()) seqs.push(seq);
  })();
  await vi.waitFor(() => expect(seqs.length).toBe(4));
  await first.stop(0);
  await using second = await first.restart();
  release.resolve();
  await observed;
  expect(notices[0]).toMatchObject({ error: null });
  expect(notices[0]?.delayMs).toBeGreaterThanOrEqual(1_000);
  expect(seqs).toEqual(inOrder(seqs.length));
  expect(second.count('GET', /events/)).toBeGreaterThanOrEqual(1);
});

it('gives up on a stream that goes on bringing what is no event', async () => {
  await using server = await ApiServer.start({
    operations: { report: () => null },
    before: ({ url = '' }, res) => {
      if (!url.endsWith('/events')) return false;
      res.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: {"seq":1}\n\n');
      return true;
    },
  });
  await using client = new DurableClient(server.url, { backoff: { baseMs: 0 }, retries: 2 });
  const operation = await client.submit('/report', {});
  await expect(Array.fromAsync(operation.observe())).rejects.toMatchObject({
    code: 'response_invalid',
  });
  expect(server.count('GET', /events/)).toBe(3);
});

it('asks again instead of passing over a gap', async () => {
  await using server = await ApiServer.start({
    operations: { report: () => null },
    before: ({ url = '', headers }, res) => {
      if (!url.endsWith('/events') || headers['last-event-id'] !== '1') return false;
      const intentId = url.split('/')[2];
      const event = { intent_id: intentId, seq: 3, event_type: 'intent.in_progress' };
      const data = { ...event, status: 'IN_PROGRESS', at: new Date().toISOString() };
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.end(`data: ${JSON.stringify(data)}\n\n`);
      return true;
    },
  });
  await using client = new DurableClient(server.url, { backoff: { baseMs: 0 }, retries: 1 });
  const operation = await client.submit('/report', {});
  await expect(Array.fromAsync(operation.observe({ after: 1 }))).rejects.toMatchObject({
    code: 'response_invalid',
    message: expect.stringContaining('event 3 came after event 1'),
  });
});
