import { once } from 'node:events';
import { createServer } from 'node:http';
import { NonRetryableError } from '@durable-api/core';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import {
  DurableClient,
  OperationCanceledError,
  OperationFailedError,
  OperationTimedOutError,
} from '../src/index.ts';
import { ApiServer, respond, type Handler } from './api-server.ts';

const start = (report: Handler, operationOptions = {}): Promise<ApiServer> =>
  ApiServer.start({ operations: { report }, operationOptions });

describe('result', () => {
  it.each([
    ['JSON as its value', respond(201, 'application/json', '{"a":1}'), { a: 1 }],
    ['JSON of another kind, too', respond(200, 'application/hal+json; v=1', '[1]'), [1]],
    ['text as a string', respond(200, 'text/csv; charset=utf-8', 'a,b'), 'a,b'],
    ['bytes as bytes', respond(200, 'application/pdf', '%PDF'), new Uint8Array([37, 80, 68, 70])],
    ['nothing as undefined', respond(204, 'application/octet-stream', ''), undefined],
    ['an error status of the handler as a result', respond(404, 'application/json', '"no"'), 'no'],
  ])('is %s', async (_, response, expected) => {
    await using server = await start(() => response);
    await using client = new DurableClient(server.url);
    const operation = await client.submit('/report', {});
    expect(await operation.result()).toEqual(expected);
    const whole = await operation.response();
    expect(whole.status).toBe(response.status);
    expect(whole.headers.get('content-type')).toBe(response.headers['content-type']);
  });

  it.each([302, 303, 307])(
    'is a redirect of the handler, which is not followed: %i',
    async (status) => {
      const visits: string[] = [];
      const other = createServer(({ url = '' }, res) => {
        visits.push(url);
        res.end('What was not asked for.');
      });
      await once(other.listen(0, '127.0.0.1'), 'listening');
      const address = other.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      const location = `http://127.0.0.1:${port}/elsewhere`;
      const answer = respond(status, 'text/plain', 'There.');
      await using server = await start(() => ({
        ...answer,
        headers: { ...answer.headers, location },
      }));
      await using client = new DurableClient(server.url, { headers: { 'x-api-key': 'secret' } });
      for (const waitMs of [0, 5_000]) {
        const operation = await client.submit('/report', {}, { waitMs });
        const response = await operation.response();
        expect([response.status, response.headers.get('location')]).toEqual([status, location]);
        expect(await operation.result()).toBe('There.');
      }
      expect(visits).toEqual([]);
      other.close();
    },
  );

  it('waits for the end, over as many changes as it takes', async () => {
    const release = Promise.withResolvers<string>();
    await using server = await start(async (_, context) => {
      context.progress(0.5);
      return release.promise;
    });
    await using client = new DurableClient(server.url);
    const operation = await client.submit('/report', {});
    const result = operation.result();
    await vi.waitFor(() => expect(server.count('GET', /events/)).toBe(1));
    release.resolve('there');
    expect(await result).toBe('there');
  });

  it('throws why the operation failed', async () => {
    await using server = await start(() => {
      throw new NonRetryableError('The printer is on fire.');
    });
    await using client = new DurableClient(server.url);
    const operation = await client.submit('/report', {});
    const error: unknown = await operation.result().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OperationFailedError);
    expect(error).toMatchObject({
      name: 'OperationFailedError',
      code: 'intent_failed',
      message: 'The printer is on fire.',
      failure: { message: 'The printer is on fire.', retryable: false },
      cause: { message: 'The printer is on fire.' },
      problem: { intent_id: operation.intentId },
    });
  });

  it('throws that the operation was canceled', async () => {
    await using server = await start((_, { signal }) =>
      once(signal, 'abort').then(() => signal.throwIfAborted()),
    );
    await using client = new DurableClient(server.url);
    const operation = await client.submit('/report', {});
    const result = operation.result().catch((thrown: unknown) => thrown);
    const snapshot = await operation.cancel();
    expect(['IN_PROGRESS', 'CANCELED']).toContain(snapshot.status);
    const error = await result;
    expect(error).toBeInstanceOf(OperationCanceledError);
    expect(error).toMatchObject({ code: 'intent_canceled', status: 409 });
    expect((await operation.cancel()).status).toBe('CANCELED');
  });

  it('throws that the operation missed its deadline', async () => {
    await using server = await start((_, { signal }) => once(signal, 'abort'), { deadlineMs: 200 });
    await using client = new DurableClient(server.url);
    const operation = await client.submit('/report', {});
    const error: unknown = await operation.result().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OperationTimedOutError);
    expect(error).toMatchObject({ code: 'intent_timed_out', status: 504 });
  });

  it('is checked by a schema', async () => {
    await using server = await start((body) => body);
    await using client = new DurableClient(server.url);
    const result = z.object({ pages: z.number().transform((pages) => pages * 2) });
    const good = await client.submit('/report', { pages: 2 }, { result });
    expect(await good.result()).toEqual({ pages: 4 });
    const bad = await client.submit('/report', { pages: 'two' }, { result });
    await expect(bad.result()).rejects.toMatchObject({ code: 'result_invalid' });
    const again = client.operation(bad.url, { result: z.object({ pages: z.string() }) });
    expect(await again.result()).toEqual({ pages: 'two' });
  });

  it('does not take an answer from something in between for the result', async () => {
    await using server = await ApiServer.start({
      operations: { report: () => null },
      before: ({ url = '' }, res) => {
        if (!url.endsWith('/result')) return false;
        res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Log in</h1>');
        return true;
      },
    });
    await using client = new DurableClient(server.url);
    const operation = await client.submit('/report', {});
    await expect(operation.result()).rejects.toMatchObject({ code: 'response_invalid' });
  });

  it('ends with an AbortSignal, while the operation goes on', async () => {
    const release = Promise.withResolvers<string>();
    await using server = await start(() => release.promise);
    await using client = new DurableClient(server.url);
    const operation = await client.submit('/report', {});
    const abort = new AbortController();
    const result = operation.result({ signal: abort.signal });
    await vi.waitFor(() => expect(server.count('GET', /events/)).toBe(1));
    const reason = new Error('Enough.');
    abort.abort(reason);
    await expect(result).rejects.toBe(reason);
    release.resolve('there');
    expect(await operation.result()).toBe('there');
  });
});

describe('get and cancel', () => {
  it('reject with the server’s code', async () => {
    await using server = await start(() => 'done');
    await using client = new DurableClient(server.url);
    const unknown = client.operation('/report/0193aaaa-0000-7000-8000-000000000000');
    await expect(unknown.get()).rejects.toMatchObject({ code: 'intent_not_found', status: 404 });
    await expect(unknown.result()).rejects.toMatchObject({ code: 'intent_not_found' });
    const ended = await client.submit('/report', {});
    await ended.result();
    await expect(ended.cancel()).rejects.toMatchObject({ code: 'intent_terminal', status: 409 });
    const signal = AbortSignal.abort(new Error('Enough.'));
    await expect(ended.get({ signal })).rejects.toThrow('Enough.');
    await expect(ended.cancel({ signal })).rejects.toThrow('Enough.');
    await expect(ended.signal('go', 1, { signal })).rejects.toThrow('Enough.');
  });

  it('find the app’s own refusal', async () => {
    await using server = await ApiServer.start({
      operations: { report: () => null },
      before: ({ headers }, res) => {
        if (headers.authorization !== undefined) return false;
        res.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"Log in."}');
        return true;
      },
    });
    await using stranger = new DurableClient(server.url);
    const refused = { code: 'http_error', status: 401, retryable: false };
    await expect(stranger.submit('/report', {})).rejects.toMatchObject(refused);
    await using client = new DurableClient(server.url, { headers: { authorization: 'x' } });
    const { url } = await client.submit('/report', {});
    const operation = stranger.operation(url);
    await expect(operation.get()).rejects.toMatchObject(refused);
    await expect(operation.result()).rejects.toMatchObject(refused);
    await expect(operation.observe().next()).rejects.toMatchObject(refused);
  });
});

describe('retry', () => {
  it('does again what failed, as another operation, once however often it is sent', async () => {
    let isBroken = true;
    let answers = 0;
    await using server = await ApiServer.start({
      operations: {
        report: (body) => {
          if (isBroken) throw new NonRetryableError('No paper.');
          return body;
        },
      },
      before: ({ url = '' }, res) => {
        if (!url.endsWith('/retry')) return false;
        answers += 1;
        // The first answer is lost.
        if (answers === 1) res.end = () => res.destroy();
        return false;
      },
    });
    await using client = new DurableClient(server.url, { backoff: { baseMs: 1 } });
    const old = await client.submit('/report', { quarter: 'Q3' });
    await expect(old.result()).rejects.toThrow('No paper.');
    isBroken = false;
    const fresh = await old.retry();
    expect(await fresh.result()).toEqual({ quarter: 'Q3' });
    expect(await fresh.get()).toMatchObject({ retried_from: old.intentId });
    expect(answers).toBe(2);
    expect(server.data.entries.size).toBe(2);
    await expect(old.result()).rejects.toThrow('No paper.');
    await expect(fresh.retry()).rejects.toMatchObject({ code: 'intent_not_retryable' });
  });
});

describe('eventSourceUrl', () => {
  it('opens the stream to who has no credentials, once', async () => {
    await using server = await ApiServer.start({
      operations: { report: () => null },
      options: {
        tickets: { secret: 'a secret of the servers, 32 long' },
        identify: ({ headers }) => headers.authorization ?? '',
      },
    });
    await using client = new DurableClient(server.url, { headers: { authorization: 'alice' } });
    const operation = await client.submit('/report', {});
    const url = await operation.eventSourceUrl();
    const stream = await fetch(url);
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    expect(await stream.text()).toContain('event: intent.completed');
    expect((await fetch(url)).status).toBe(401);
    await using stranger = new DurableClient(server.url, { headers: { authorization: 'mallory' } });
    await expect(stranger.operation(operation.url).eventSourceUrl()).rejects.toMatchObject({
      code: 'intent_not_found',
    });
  });
});

describe('signal', () => {
  it('posts its payload under the operation, once however often it is sent', async () => {
    const received: unknown[] = [];
    const server = createServer((req, res) => {
      received.push([req.method, req.url, req.headers['idempotency-key']]);
      res.writeHead(received.length === 1 ? 503 : 202).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const client = new DurableClient(`http://127.0.0.1:${port}`, { backoff: { baseMs: 1 } });
    await client.operation('/report/an-id').signal('on paper', { copies: 2 });
    const [first, second] = received;
    expect(first).toEqual(['POST', '/report/an-id/signals/on%20paper', expect.any(String)]);
    expect(second).toEqual(first);
    await client.close();
    server.close();
  });
});
