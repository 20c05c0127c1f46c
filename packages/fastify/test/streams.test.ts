import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect, constants } from 'node:http2';
import { text } from 'node:stream/consumers';
import compress from '@fastify/compress';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import { memoryData, memoryStore } from '@durable-api/core';
import { EventSource } from 'eventsource';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { durableApi } from '../src/index.ts';
import { createApp, ended, run, submit } from './app.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const config = { durable: true };

/** What an intent may tell before it is completed. */
const EVENTS = [
  'created',
  'submitted',
  'delivered',
  'in_progress',
  'waiting',
  'delivery_failed',
  'resumed',
];

/** An operation that goes on until the test lets it end. */
async function openEnded(): Promise<{
  app: FastifyInstance;
  path: string;
  origin: string;
  end: () => void;
}> {
  const app = await createApp({ limits: { maxObserversPerIntent: 200 } });
  const gate = Promise.withResolvers<object>();
  app.post('/op', { config }, () => gate.promise);
  const origin = await app.listen({ port: 0, host: '127.0.0.1' });
  return { app, path: await submit(app), origin, end: () => gate.resolve({}) };
}

async function open(url: string): Promise<IncomingMessage> {
  const sent = get(url, { headers: { accept: 'text/event-stream' } });
  const [response]: IncomingMessage[] = await once(sent, 'response');
  if (response === undefined) throw new Error('No response.');
  return response;
}

describe('a stream', () => {
  it('keeps the headers that hooks set, and is not compressed', async () => {
    const app = await createApp();
    await app.register(compress, { threshold: 0, customTypes: /./ });
    await app.register(cors, { origin: ['https://app.test'], credentials: true });
    await app.register(helmet);
    app.post('/op', { config }, async () => ({ text: 'x'.repeat(5_000) }));
    const path = await submit(app);
    await ended(app, path);
    const headers = { 'accept-encoding': 'gzip', origin: 'https://app.test' };
    const stream = await app.inject({
      url: `${path}/events`,
      headers: { ...headers, accept: 'text/event-stream' },
    });
    expect(stream.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.test',
      'access-control-allow-credentials': 'true',
      'cross-origin-resource-policy': 'same-origin',
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      vary: 'Origin, Accept',
    });
    expect(stream.headers).not.toHaveProperty('content-encoding');
    expect(stream.body).toContain('event: intent.completed');
    const result = await app.inject({ url: `${path}/result`, headers });
    expect(result.headers).toMatchObject({
      'content-encoding': 'gzip',
      'access-control-allow-origin': 'https://app.test',
    });
    const submitted = await run(app, { headers });
    expect(submitted.headers['access-control-allow-origin']).toBe('https://app.test');
    expect(submitted.headers['vary']).toMatch(/Origin.*Prefer/i);
  });

  it('bypasses serializers that hooks have chosen, as all answers of ours do', async () => {
    const app = await createApp();
    app.addHook('onRequest', async (_request, reply) => {
      reply.serializer(() => 'from another world');
    });
    app.setReplySerializer(() => 'from another world');
    app.post('/op', { config }, async () => 'text');
    const path = await submit(app);
    expect(await ended(app, path)).toMatchObject({ status: 'COMPLETED' });
    const events = await app.inject({ url: `${path}/events` });
    expect(events.body).toContain('event: intent.completed');
    expect((await app.inject({ url: `${path}/result` })).body).toBe('text');
  });

  it('is not cut off by a handlerTimeout of the server', async () => {
    const app = await createApp({}, { handlerTimeout: 30 });
    app.post('/op', { config }, () => new Promise<object>(() => {}));
    const url = `${await submit(app)}/events?wait_seconds=1`;
    const stream = await app.inject({ url, headers: { accept: 'text/event-stream' } });
    expect(stream.body).toMatch(/intent\.in_progress[^]*retry: \d+\n\n$/);
  });

  it('comes over HTTP/2 too, with the whole of the contract', async () => {
    const app = fastify({ http2: true });
    cleanups.push(() => app.close());
    await app.register(durableApi, { store: memoryStore() });
    await app.register(cors, { origin: '*' });
    app.post('/op', { config }, async (request) => request.body);
    const client = connect(await app.listen({ port: 0, host: '127.0.0.1' }));
    cleanups.unshift(() => client.close());
    const send = async (method: string, path: string, body = ''): Promise<[object, string]> => {
      const isJson = body !== '' && { 'content-type': 'application/json' };
      const head = { ':method': method, ':path': path, ...isJson };
      const stream = client.request(head, { endStream: body === '' });
      if (body !== '') stream.end(body);
      const [headers]: object[] = await once(stream, 'response');
      return [headers ?? {}, await text(stream)];
    };
    const [, accepted] = await send('POST', '/op', '{"a":1}');
    const { links } = JSON.parse(accepted);
    const [headers, events] = await send('GET', links.events);
    expect(headers).toMatchObject({
      ':status': 200,
      'content-type': 'text/event-stream',
      'access-control-allow-origin': '*',
    });
    expect(events).toContain('event: intent.completed');
    expect((await send('GET', links.result))[1]).toBe('{"a":1}');
    expect((await send('DELETE', links.self))[0]).toMatchObject({ ':status': 409 });
  });
});

it('of a client that has left over HTTP/2 before it was answered takes no place', async () => {
  const app = fastify({ http2: true });
  cleanups.push(() => app.close());
  const held = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  await app.register(durableApi, {
    store: memoryStore(),
    graceMs: 0,
    limits: { maxObserversPerIntent: 1 },
    identify: async ({ headers }) => {
      if (headers['x-is-held'] === undefined) return 'anyone';
      asked.resolve();
      await held.promise;
      return 'anyone';
    },
  });
  app.post('/op', { config }, () => new Promise<object>(() => {}));
  const client = connect(await app.listen({ port: 0, host: '127.0.0.1' }));
  cleanups.unshift(() => client.close());
  const submit = client.request({ ':method': 'POST', ':path': '/op' });
  const { links } = JSON.parse(await text(submit.end()));
  const early = client.request({ ':path': links.events, 'x-is-held': 'yes' });
  await asked.promise;
  early.close(constants.NGHTTP2_CANCEL);
  await once(early, 'close');
  // In the order in which they were sent, so the server has heard that the first one left.
  await text(client.request({ ':path': links.self }));
  held.resolve();
  await vi.waitFor(async () => {
    const path = `${links.events}?wait_seconds=1`;
    expect(await text(client.request({ ':path': path }))).toContain('event: intent.created');
  }, 10_000);
});

describe('app.close()', () => {
  it('with 100 open observers returns in under 500 ms, and each was told when to come back', async () => {
    const { app, path, origin } = await openEnded();
    const streams = await Promise.all(
      Array.from({ length: 100 }, () => open(`${origin}${path}/events`)),
    );
    const bodies = streams.map((stream) => text(stream));
    const startedAt = performance.now();
    await app.close();
    expect(performance.now() - startedAt).toBeLessThan(500);
    for (const body of await Promise.all(bodies)) {
      expect(body).toMatch(/event: intent\.in_progress[^]*\nretry: \d+\n\n$/);
    }
  });

  it('with observers over HTTP/2 returns as well', async () => {
    const app = fastify({ http2: true });
    await app.register(durableApi, { store: memoryStore(), graceMs: 0 });
    app.post('/op', { config }, () => new Promise<object>(() => {}));
    const client = connect(await app.listen({ port: 0, host: '127.0.0.1' }));
    const stream = client.request({
      ':method': 'POST',
      ':path': '/op',
      accept: 'text/event-stream',
    });
    stream.end();
    await once(stream, 'response');
    const body = text(stream);
    const startedAt = performance.now();
    await app.close();
    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(await body).toMatch(/retry: \d+\n\n$/);
    client.close();
  });

  it('lets a POST that waits for its result go with what is known', async () => {
    const { app, end } = await openEnded();
    const waiting = run(app, { headers: { prefer: 'wait=60' } });
    const path = await submit(app);
    await app.inject({ url: path });
    const startedAt = performance.now();
    await app.close();
    expect(performance.now() - startedAt).toBeLessThan(500);
    expect((await waiting).statusCode).toBe(202);
    end();
  });

  it('and a restart on the same port: every EventSource comes back and sees the rest, once', async () => {
    const data = memoryData();
    const gate = Promise.withResolvers<object>();
    const serve = async (port: number) => {
      const app = fastify();
      await app.register(durableApi, { store: memoryStore(data), graceMs: 0, random: () => 0 });
      app.post('/op', { config }, () => gate.promise);
      return { app, origin: await app.listen({ port, host: '127.0.0.1' }) };
    };
    const first = await serve(0);
    const path = await submit(first.app);
    const sources = Array.from({ length: 3 }, () => {
      const source = new EventSource(`${first.origin}${path}/events`);
      const seqs: number[] = [];
      const completed = Promise.withResolvers<void>();
      const note = ({ lastEventId }: { readonly lastEventId: string }): void => {
        seqs.push(Number(lastEventId));
      };
      for (const type of EVENTS) {
        source.addEventListener(`intent.${type}`, note);
      }
      source.addEventListener('intent.completed', (event) => {
        note(event);
        completed.resolve();
      });
      const opened = new Promise((resolve) =>
        source.addEventListener('intent.in_progress', resolve, { once: true }),
      );
      cleanups.push(() => source.close());
      return { seqs, opened, completed: completed.promise };
    });
    await Promise.all(sources.map(({ opened }) => opened));
    await first.app.close();
    const second = await serve(Number(new URL(first.origin).port));
    cleanups.push(() => second.app.close());
    gate.resolve({ done: true });
    await Promise.all(sources.map(({ completed }) => completed));
    for (const { seqs } of sources) {
      expect(seqs).toEqual(seqs.map((_, i) => i + 1));
      expect(seqs.length).toBeGreaterThan(4);
    }
  });
});

describe('what a handler streams', () => {
  it('is shown to observers while it is written, under its own content type', async () => {
    const app = await createApp();
    const gate = Promise.withResolvers<void>();
    app.post('/op', { config }, (_request, reply) => {
      reply.raw.setHeader('content-type', 'text/markdown');
      reply.raw.write('# One\n');
      void gate.promise.then(() => reply.raw.end('two'));
      return reply;
    });
    const path = await submit(app);
    const early = app.inject({ url: `${path}/output` });
    await expect.poll(async () => (await app.inject({ url: path })).json().seq).toBeGreaterThan(4);
    gate.resolve();
    const { body, headers } = await early;
    expect(body).toBe('# One\ntwo');
    expect(headers['content-type']).toBe('text/markdown');
  });

  it.each<[string, () => unknown, string, string]>([
    [
      'an async generator of text',
      async function* () {
        yield 'a';
        yield 'b';
      },
      'ab',
      'text/plain',
    ],
    [
      'one of data',
      async function* () {
        yield { n: 1 };
        yield { n: 2 };
      },
      '{"n":1}\n{"n":2}\n',
      'application/x-ndjson',
    ],
    ['a web stream', () => new Blob(['web']).stream(), 'web', 'application/octet-stream'],
  ])('can be %s', async (_name, source, expected, type) => {
    const app = await createApp();
    app.post('/op', { config }, async () => source());
    const answer = await run(app);
    expect(answer.body).toBe(expected);
    const output = await app.inject({ url: `${answer.headers.location}/output` });
    expect(output.body).toBe(expected);
    expect(output.headers['content-type']).toContain(type);
  });

  it('that broke off is a failed attempt, whose output is void', async () => {
    const app = await createApp();
    let attempts = 0;
    app.post('/op', { config }, async function* () {
      attempts += 1;
      yield `attempt ${attempts}`;
      if (attempts === 1) throw new Error('Broke off.');
    });
    const answer = await run(app);
    expect(answer.body).toBe('attempt 2');
    const output = await app.inject({ url: `${answer.headers.location}/output` });
    expect(output.body).toBe('attempt 2');
  });
});
