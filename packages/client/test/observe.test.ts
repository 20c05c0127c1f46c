import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { DurableClient, failureOf, progressOf } from '../src/index.ts';
import { ApiServer } from './api-server.ts';

describe('observe', () => {
  it('brings every event in order and ends after the terminal one', async () => {
    await using server = await ApiServer.start({
      operations: {
        report: (_, context) => {
          context.progress({ current: 1, total: 2, message: 'half' });
          return new Promise((resolve) => void setTimeout(resolve, 150));
        },
      },
    });
    await using client = new DurableClient(server.url);
    const operation = await client.submit('/report', {});
    const events = await Array.fromAsync(operation.observe());
    expect(events.map(({ seq, event_type: type }) => [seq, type])).toEqual([
      [1, 'intent.created'],
      [2, 'intent.submitted'],
      [3, 'intent.delivered'],
      [4, 'intent.in_progress'],
      [5, 'intent.progress'],
      [6, 'intent.completed'],
    ]);
    const reports = events.map(progressOf).filter((progress) => progress !== null);
    expect(reports).toEqual([{ fraction: 0.5, current: 1, total: 2, message: 'half' }]);
    expect(server.count('GET', /events/)).toBe(1);
  });

  it('tells why attempts failed', async () => {
    let attempts = 0;
    await using server = await ApiServer.start({
      operations: {
        report: () => {
          attempts += 1;
          if (attempts === 1) throw new Error('The first one fails.');
          return null;
        },
      },
      operationOptions: { backoff: { baseMs: 1 } },
    });
    await using client = new DurableClient(server.url);
    const operation = await client.submit('/report', {});
    const events = await Array.fromAsync(operation.observe());
    const failures = events.map(failureOf).filter((failure) => failure !== null);
    expect(failures).toMatchObject([{ message: 'The first one fails.', retryable: true }]);
  });

  it.each([
    ['Retry-After: 0', [503, { 'retry-after': '0' }, '']],
    ['a Retry-After that has passed', [503, { 'retry-after': new Date(0).toUTCString() }, '']],
    ['retry: 0', [200, { 'content-type': 'text/event-stream' }, 'retry: 0\n\n']],
  ] as const)('backs off from a server that asks for no pause: %s', async (_what, answer) => {
    const [status, headers, body] = answer;
    await using server = await ApiServer.start({
      operations: {},
      before: (_, res) => res.writeHead(status, headers).end(body) !== undefined,
    });
    const enough = new AbortController();
    const delays: number[] = [];
    await using client = new DurableClient(server.url, {
      backoff: { baseMs: 20, factor: 1 },
      onRetry: ({ failures, delayMs }) => {
        delays.push(delayMs);
        if (failures === 8) enough.abort(new Error('Enough.'));
      },
    });
    const observed = client.operation('/report/some-id').observe({ signal: enough.signal });
    await expect(observed.next()).rejects.toThrow('Enough.');
    expect(delays).toHaveLength(8);
    expect(Math.max(...delays)).toBeGreaterThan(0);
  });

  it('begins after the seq that is known', async () => {
    await using server = await ApiServer.start({ operations: { report: () => null } });
    await using client = new DurableClient(server.url);
    const operation = await client.submit('/report', {});
    await operation.result();
    const seqs = async (after: number): Promise<number[]> =>
      (await Array.fromAsync(operation.observe({ after }))).map(({ seq }) => seq);
    expect(await seqs(2)).toEqual([3, 4, 5]);
    expect(await seqs(5)).toEqual([]);
    expect(await seqs(99)).toEqual([]);
    expect(() => operation.observe({ after: -1 })).toThrow(/whole number/);
  });

  it('sends nothing before the iteration begins, and lets go of the connection when it ends', async () => {
    let closed = 0;
    await using server = await ApiServer.start({
      operations: { report: (_, { signal }) => once(signal, 'abort') },
      before: ({ url = '' }, res) => {
        if (url.endsWith('/events')) res.on('close', () => void (closed += 1));
        return false;
      },
    });
    await using client = new DurableClient(server.url);
    const operation = await client.submit('/report', {});
    const unused = operation.observe();
    expect(server.count('GET', /events/)).toBe(0);
    await unused.return();
    for await (const { seq } of operation.observe()) if (seq === 2) break;
    await vi.waitFor(() => expect(closed).toBe(1));
    expect(server.count('GET', /events/)).toBe(1);
  });

  it('ends with an AbortSignal: while it waits for an event, and while it waits to reconnect', async () => {
    await using server = await ApiServer.start({
      operations: { report: (_, { signal }) => once(signal, 'abort') },
    });
    const reason = new Error('Enough.');
    const abort = new AbortController();
    await using client = new DurableClient(server.url);
    const operation = await client.submit('/report', {});
    const observed = (async () => {
      for await (const { seq } of operation.observe({ signal: abort.signal })) {
        if (seq === 4) setImmediate(() => abort.abort(reason));
      }
    })();
    await expect(observed).rejects.toBe(reason);

    const second = new AbortController();
    await using patient = new DurableClient('http://127.0.0.1:9', {
      backoff: { baseMs: 2 ** 40, maxMs: 2 ** 40 },
      onRetry: () => void setImmediate(() => second.abort(reason)),
    });
    const never = patient.operation('/report/an-id').observe({ signal: second.signal });
    await expect(never.next()).rejects.toBe(reason);
    const signal = AbortSignal.abort(reason);
    await expect(operation.observe({ signal }).next()).rejects.toBe(reason);
  });

  it('rejects with the server’s code when it may not observe', async () => {
    await using server = await ApiServer.start({ operations: { report: () => null } });
    await using client = new DurableClient(server.url);
    const unknown = client.operation('/report/0193aaaa-0000-7000-8000-000000000000');
    await expect(unknown.observe().next()).rejects.toMatchObject({ code: 'intent_not_found' });
    await expect(
      client.operation('/report/0193AAAA-0000-7000-8000-000000000000').get(),
    ).rejects.toMatchObject({
      code: 'intent_id_invalid',
    });
  });

  it('serves any number of observers of one handle at once', async () => {
    const release = Promise.withResolvers<void>();
    await using server = await ApiServer.start({ operations: { report: () => release.promise } });
    await using client = new DurableClient(server.url);
    const operation = await client.submit('/report', {});
    const observers = Array.from({ length: 8 }, () => Array.fromAsync(operation.observe()));
    await vi.waitFor(() => expect(server.count('GET', /events/)).toBe(8));
    release.resolve();
    for (const events of await Promise.all(observers)) expect(events).toHaveLength(5);
  });
});

describe('a stream that is none of a Durable API', () => {
  it('with an event that never ends is an error, and does not fill the memory', async () => {
    await using server = await ApiServer.start({
      operations: { report: () => null },
      before: ({ url = '' }, res) => {
        if (!url.endsWith('/events')) return false;
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        const more = (): void => {
          while (!res.closed && res.write(`data: ${'x'.repeat(65_536)}`));
        };
        res.on('drain', more);
        more();
        return true;
      },
    });
    await using client = new DurableClient(server.url, { retries: 1, backoff: { baseMs: 0 } });
    const operation = await client.submit('/report', {});
    await expect(operation.observe().next()).rejects.toMatchObject({
      name: 'DurableClientError',
      code: 'response_invalid',
    });
  });
});
