import { Agent } from 'undici';
import { describe, expect, it } from 'vitest';
import { DurableClient, type RetryNotice } from '../src/index.ts';
import { ApiServer, type ApiServerSetup } from './api-server.ts';
import { FaultProxy } from './fault-proxy.ts';

const operations = { report: (body: unknown) => ({ received: body }) };
const start = (setup: Partial<ApiServerSetup> = {}): Promise<ApiServer> =>
  ApiServer.start({ operations, ...setup });

/** Answers the first requests to a path itself. */
function failing(
  path: string,
  answers: readonly (readonly [number, Record<string, string>, string?])[],
): Pick<ApiServerSetup, 'before'> {
  const left = [...answers];
  return {
    before: ({ url }, res) => {
      const next = url === path ? left.shift() : undefined;
      if (next === undefined) return false;
      res.writeHead(next[0], next[1]).end(next[2]);
      return true;
    },
  };
}

describe('submit', () => {
  it('gives a handle to the stored intent', async () => {
    await using server = await start();
    await using client = new DurableClient(server.url);
    const operation = await client.submit('/report', { quarter: 'Q3' });
    expect(operation.url).toBe(`${server.url}/report/${operation.intentId}`);
    expect(await operation.get()).toMatchObject({
      intent_id: operation.intentId,
      operation: 'report',
    });
    expect(await operation.result()).toEqual({ received: { quarter: 'Q3' } });
  });

  it('makes a fresh idempotency key when none is given', async () => {
    await using server = await start();
    await using client = new DurableClient(server.url);
    const [first, second] = [await client.submit('/report', 1), await client.submit('/report', 1)];
    expect(first.intentId).not.toBe(second.intentId);
    const keys = server.received.map((request) => request.headers['idempotency-key']);
    expect(keys[0]).toMatch(/^"[0-9a-f]{32}"$/);
    expect(new Set(keys).size).toBe(2);
  });

  it('is one operation for one key, and refuses the key for another request', async () => {
    await using server = await start();
    await using client = new DurableClient(server.url);
    const idempotencyKey = 'a key, with "quotes" and \\';
    const first = await client.submit('/report', 1, { idempotencyKey });
    expect((await client.submit('/report', 1, { idempotencyKey })).intentId).toBe(first.intentId);
    await expect(client.submit('/report', 2, { idempotencyKey })).rejects.toMatchObject({
      name: 'DurableClientError',
      code: 'idempotency_key_reused',
      status: 422,
      retryable: false,
      problem: { code: 'idempotency_key_reused' },
    });
  });

  it('repeats a submit with the same key when its answer is lost', async () => {
    await using server = await start();
    await using proxy = await FaultProxy.start(server.port);
    await using client = new DurableClient(proxy.url, { backoff: { baseMs: 1 } });
    proxy.faults.push({ cutAfterBytes: 10 }, { cutAfterBytes: 400 });
    const operation = await client.submit('/report', { quarter: 'Q3' });
    expect(server.count('POST', /report$/)).toBe(3);
    expect(new Set(server.received.map((r) => r.headers['idempotency-key'])).size).toBe(1);
    expect([...server.data.entries.keys()]).toEqual([operation.intentId]);
  });

  it('repeats it when the server says 503, when Retry-After says', async () => {
    const problem = '{"type":"about:blank","title":"Busy","status":503}';
    await using server = await start(
      failing('/report', [
        [503, { 'retry-after': '1' }],
        [502, {}],
        [429, { 'content-type': 'application/problem+json' }, problem],
      ]),
    );
    const notices: RetryNotice[] = [];
    await using client = new DurableClient(server.url, {
      backoff: { baseMs: 10 },
      onRetry: (notice) => void notices.push(notice),
    });
    const since = performance.now();
    await client.submit('/report', {});
    expect(performance.now() - since).toBeGreaterThanOrEqual(995);
    expect(notices).toMatchObject([
      { failures: 1, delayMs: 1_000, error: { code: 'http_error', status: 503 } },
      { failures: 2, error: { status: 502 } },
      { failures: 3, error: { status: 429 } },
    ]);
    expect(new Set(server.received.map((r) => r.headers['idempotency-key'])).size).toBe(1);
  });

  it('follows no redirect, which may lead credentials to other servers', async () => {
    const location = 'http://127.0.0.1:1/report';
    await using server = await start(failing('/report', [[307, { location }]]));
    await using client = new DurableClient(server.url);
    const submit = client.submit('/report', {});
    await expect(submit).rejects.toMatchObject({ code: 'response_invalid', status: 307 });
    await expect(submit).rejects.toThrow(location);
    expect(server.count('POST', /report/)).toBe(1);
  });

  it('takes Retry-After as a date, and throws rather than wait for very long', async () => {
    const inAnHour = new Date(Date.now() + 3_600_000).toUTCString();
    await using server = await start(failing('/report', [[503, { 'retry-after': inAnHour }]]));
    await using client = new DurableClient(server.url);
    const error: unknown = await client.submit('/report', {}).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'http_error', status: 503, retryable: true });
    expect(error).toHaveProperty('retryAfterMs', expect.closeTo(3_600_000, -4));
  });

  it('gives up after so many retries as it may make', async () => {
    await using server = await start({
      before: (_, res) => res.writeHead(503).end() !== undefined,
    });
    await using client = new DurableClient(server.url, { retries: 2, backoff: { baseMs: 1 } });
    await expect(client.submit('/report', {})).rejects.toMatchObject({ status: 503 });
    expect(server.received).toHaveLength(3);
  });

  it('does not repeat what the server refuses', async () => {
    await using server = await start();
    await using client = new DurableClient(server.url);
    const tooLarge = client.submit('/report', 'x'.repeat(300_000));
    await expect(tooLarge).rejects.toMatchObject({ code: 'payload_too_large', status: 413 });
    await expect(client.submit('/nowhere', {})).rejects.toMatchObject({
      code: 'http_error',
      status: 404,
    });
    expect(server.received).toHaveLength(2);
  });

  it('says that a route which answers at once is no durable operation', async () => {
    await using server = await start(failing('/report', [[200, {}, '{"ok":true}']]));
    await using client = new DurableClient(server.url);
    await expect(client.submit('/report', {})).rejects.toMatchObject({ code: 'response_invalid' });
  });

  it('says that a server cannot be reached', async () => {
    const server = await start();
    await server.stop();
    await using client = new DurableClient(server.url, { retries: 1, backoff: { baseMs: 1 } });
    await expect(client.submit('/report', {})).rejects.toMatchObject({
      code: 'network',
      retryable: true,
      cause: { cause: { code: 'ECONNREFUSED' } },
    });
  });

  it('does not wait longer for an answer than it may', async () => {
    await using server = await start({ before: () => true });
    await using client = new DurableClient(server.url, {
      timeoutMs: 50,
      retries: 1,
      backoff: { baseMs: 1 },
    });
    await expect(client.submit('/report', {})).rejects.toMatchObject({ code: 'timeout' });
    expect(server.received).toHaveLength(2);
  });
});

describe('waitMs', () => {
  it('has the result in the answer to the submit', async () => {
    await using server = await start();
    await using client = new DurableClient(server.url);
    const operation = await client.submit('/report', 7, { waitMs: 10_000 });
    expect(server.received[0]?.headers.prefer).toBe('wait=10');
    expect(await operation.result()).toEqual({ received: 7 });
    expect(await operation.result()).toEqual({ received: 7 });
    expect(server.received).toHaveLength(1);
    expect((await operation.get()).status).toBe('COMPLETED');
  });

  it('goes on without it when the operation takes longer', async () => {
    const release = Promise.withResolvers<string>();
    await using server = await start({ operations: { report: () => release.promise } });
    await using client = new DurableClient(server.url);
    const operation = await client.submit('/report', 7, { waitMs: 1_000 });
    release.resolve('late');
    expect(await operation.result()).toBe('late');
  });

  it('has a failure in it, too', async () => {
    const report = (): never => {
      throw new Error('No paper.');
    };
    await using server = await start({
      operations: { report },
      operationOptions: { retries: 0 },
    });
    await using client = new DurableClient(server.url);
    const operation = await client.submit('/report', 7, { waitMs: 5_000 });
    await expect(operation.result()).rejects.toMatchObject({ name: 'OperationFailedError' });
    expect(server.received).toHaveLength(1);
  });
});

describe('headers', () => {
  it('go with every request, those of the submit only with it', async () => {
    await using server = await start();
    await using client = new DurableClient(server.url, { headers: { authorization: 'Bearer a' } });
    const operation = await client.submit('/report', {}, { headers: { 'x-once': '1' } });
    await operation.result();
    expect(server.received.length).toBeGreaterThan(1);
    for (const { headers } of server.received) expect(headers.authorization).toBe('Bearer a');
    expect(server.received.filter(({ headers }) => headers['x-once'] === '1')).toHaveLength(1);
  });

  it('are asked for anew for each request, also a repeated one', async () => {
    let count = 0;
    await using server = await start(failing('/report', [[503, {}]]));
    await using client = new DurableClient(server.url, {
      backoff: { baseMs: 1 },
      headers: async () => ({ authorization: `Bearer ${(count += 1)}` }),
    });
    await (await client.submit('/report', {})).get();
    const sent = server.received.map(({ headers }) => headers.authorization);
    expect(sent).toEqual(['Bearer 1', 'Bearer 2', 'Bearer 3']);
  });

  it('that cannot be had are the reason why the call fails', async () => {
    await using server = await start();
    const reason = new Error('Not logged in.');
    await using client = new DurableClient(server.url, { headers: () => Promise.reject(reason) });
    await expect(client.submit('/report', {})).rejects.toBe(reason);
    expect(server.received).toHaveLength(0);
  });
});

describe('an AbortSignal', () => {
  const reason = new Error('Enough.');

  it('ends a submit before it is sent', async () => {
    await using server = await start();
    await using client = new DurableClient(server.url);
    const signal = AbortSignal.abort(reason);
    await expect(client.submit('/report', {}, { signal })).rejects.toBe(reason);
    expect(server.received).toHaveLength(0);
  });

  it('ends a submit under way, and its wait for the next try', async () => {
    const abort = new AbortController();
    await using silent = await start({
      before: () => {
        abort.abort(reason);
        return true;
      },
    });
    await using client = new DurableClient(silent.url);
    await expect(client.submit('/report', {}, { signal: abort.signal })).rejects.toBe(reason);

    await using busy = await start({ before: (_, res) => res.writeHead(503).end() !== undefined });
    const second = new AbortController();
    await using patient = new DurableClient(busy.url, {
      backoff: { baseMs: 2 ** 40, maxMs: 2 ** 40 },
      onRetry: () => void setImmediate(() => second.abort(reason)),
    });
    await expect(patient.submit('/report', {}, { signal: second.signal })).rejects.toBe(reason);
    expect(busy.received).toHaveLength(1);
  });

  it('ends a wait for headers that never come', async () => {
    await using server = await start();
    await using client = new DurableClient(server.url, { headers: () => new Promise(() => {}) });
    const abort = new AbortController();
    const submitted = client.submit('/report', {}, { signal: abort.signal });
    abort.abort(reason);
    await expect(submitted).rejects.toBe(reason);
  });
});

describe('operation', () => {
  it('attaches again by URL, by path, and by id and path', async () => {
    await using server = await start();
    await using client = new DurableClient(server.url);
    const { url, intentId } = await client.submit('/report', 1);
    await using other = new DurableClient(`${server.url}/`);
    for (const again of [
      other.operation(url),
      other.operation(`/report/${intentId}`),
      other.operation(`report/${intentId}`),
      other.operation(intentId, { path: '/report' }),
    ]) {
      expect(again).toMatchObject({ url, intentId });
      expect(await again.result()).toEqual({ received: 1 });
    }
  });

  it('says what is missing, and sends nothing to another server', async () => {
    await using client = new DurableClient('http://127.0.0.1:9/api/');
    for (const reference of ['/report/an-id', '/report/an-id/', '/report/an-id?tab=1#top']) {
      const { url, intentId } = client.operation(reference);
      expect([url, intentId]).toEqual(['http://127.0.0.1:9/api/report/an-id', 'an-id']);
    }
    expect(() => client.operation('an-id')).toThrow(/Pass the path/);
    expect(() => client.operation('http://elsewhere.example/report/an-id')).toThrow(
      /another server/,
    );
    const { origin } = new URL(client.operation('//elsewhere.example/report/an-id').url);
    expect(origin).toBe('http://127.0.0.1:9');
  });
});

describe('options', () => {
  it('that cannot work are refused', () => {
    expect(() => new DurableClient('ftp://localhost')).toThrow(/must be http/);
    expect(() => new DurableClient('nonsense')).toThrow(/must be http/);
    expect(() => new DurableClient('http://localhost', { timeoutMs: 2 ** 31 })).toThrow(
      /timeoutMs/,
    );
    expect(() => new DurableClient('http://localhost', { heartbeatMs: 0 })).toThrow(/heartbeatMs/);
    expect(() => new DurableClient('http://localhost', { retries: NaN })).toThrow(/retries/);
    const backoff = { baseMs: -1 };
    expect(() => new DurableClient('http://localhost', { backoff })).toThrow(/backoff.baseMs/);
  });

  it('take an undici dispatcher with interceptors', async () => {
    await using server = await start();
    const paths: string[] = [];
    const dispatcher = new Agent().compose((dispatch) => (request, handler) => {
      paths.push(request.path);
      return dispatch(request, handler);
    });
    await using client = new DurableClient(server.url, { dispatcher });
    const operation = await client.submit('/report', {});
    expect(paths).toEqual(['/report']);
    await client.close();
    expect((await operation.get()).intent_id).toBe(operation.intentId);
    await dispatcher.close();
  });

  it('take a fetch', async () => {
    await using server = await start();
    const urls: string[] = [];
    await using client = new DurableClient(server.url, {
      fetch: (url, init) => {
        urls.push(url);
        return fetch(url, init);
      },
    });
    const operation = await client.submit('/report', 3);
    expect(await operation.result()).toEqual({ received: 3 });
    expect(urls[0]).toBe(`${server.url}/report`);
  });

  it('of the base URL: a path prefix stays in front', async () => {
    await using server = await start();
    await using client = new DurableClient(`${server.url}/report/..//`);
    const { url, intentId } = await client.submit('report?lang=en', 1);
    expect(url).toBe(`${server.url}/report/${intentId}`);
  });

  it('reuse connections', async () => {
    await using server = await start();
    await using proxy = await FaultProxy.start(server.port);
    await using client = new DurableClient(proxy.url);
    for (let i = 0; i < 5; i += 1) await client.submit('/report', i);
    expect(proxy.connectionCount).toBeLessThanOrEqual(2);
  });
});
