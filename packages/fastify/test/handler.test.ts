import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { durable, NonRetryableError } from '../src/index.ts';
import { createApp, ended, run, submit } from './app.ts';

describe('a handler that was there before', () => {
  it('finds the parts of its request as they were at the submit', async () => {
    let count = 6;
    const app = await createApp({}, { genReqId: () => `req-${++count}` });
    app.post('/tenants/:tenant/op', { config: { durable: true } }, async (request) => ({
      body: request.body,
      params: request.params,
      query: request.query,
      agent: request.headers['user-agent'],
      type: request.headers['content-type'],
      method: request.method,
      url: request.url,
      originalUrl: request.originalUrl,
      host: request.host,
      protocol: request.protocol,
      id: request.id,
      route: [
        request.routeOptions.method,
        request.routeOptions.url,
        request.routeOptions.config.url,
      ],
      is404: request.is404,
    }));
    const url = '/tenants/a%20b/op?x=1&x=2';
    const headers = { 'user-agent': 'test', host: 'api.test:81' };
    expect((await run(app, { url, body: { deep: [1, null] }, headers })).json()).toEqual({
      body: { deep: [1, null] },
      params: { tenant: 'a b' },
      query: { x: ['1', '2'] },
      agent: 'test',
      type: 'application/json',
      method: 'POST',
      url,
      originalUrl: url,
      host: 'api.test:81',
      protocol: 'http',
      id: 'req-7',
      route: ['POST', '/tenants/:tenant/op', '/tenants/:tenant/op'],
      is404: false,
    });
  });

  it('is given what a submit from code gives it', async () => {
    const app = await createApp();
    app.post('/op', { config: { durable: { name: 'op' } } }, async (request) => {
      const { body, params, query, url, id } = request;
      return { body, params, query, url, hasId: id.length > 0 };
    });
    await app.ready();
    const { intents } = app.durableApi;
    const input = { body: { quarter: 'Q3' }, rest: { params: { tenant: 'acme' } } };
    const { record } = await intents.submit('op', input);
    let status = '';
    for await (const event of intents.observe(record.id)) status = event.status;
    expect(status).toBe('COMPLETED');
    const result = await intents.result(record.id);
    expect(JSON.parse(String(Buffer.from(result?.body ?? '')))).toEqual({
      body: { quarter: 'Q3' },
      params: { tenant: 'acme' },
      query: {},
      url: '/',
      hasId: true,
    });
  });

  it('has its scope as this, request.server and reply.server, and decorators of the scope', async () => {
    const app = await createApp();
    await app.register(async (scope) => {
      scope.decorate('greeting', 'hello');
      scope.decorateRequest('shout', function shout(this: { body: unknown }) {
        return String(this.body).toUpperCase();
      });
      scope.decorateReply('ok', function ok(this: { send(value: unknown): unknown }) {
        return this.send({ ok: true });
      });
      scope.post('/op', { config: { durable: true } }, function handler(request, reply) {
        const isScope = [this, request.server, reply.server].map((server) => server === scope);
        expect(isScope).toEqual([true, true, true]);
        expect(Reflect.get(this, 'greeting')).toBe('hello');
        expect(request.getDecorator<() => string>('shout')()).toBe('[OBJECT OBJECT]');
        return Reflect.apply(Reflect.get(reply, 'ok'), reply, []);
      });
    });
    expect((await run(app)).json()).toEqual({ ok: true });
  });

  it('answers by code, header and send in callback style, now or later', async () => {
    const app = await createApp();
    app.post('/op', { config: { durable: true } }, (_request, reply) => {
      setImmediate(
        () => void reply.code(201).header('X-Report', 'r7').type('text/csv').send('a,b\n'),
      );
    });
    const answer = await run(app);
    expect([answer.statusCode, answer.body]).toEqual([201, 'a,b\n']);
    expect(answer.headers).toMatchObject({ 'x-report': 'r7', 'content-type': 'text/csv' });
  });

  it('answers with streams, bytes, web responses, nothing, and past Fastify', async () => {
    const app = await createApp();
    const config = { durable: true };
    app.post('/stream', { config }, async (_request, reply) =>
      reply.type('text/plain').send(Readable.from(['one ', 'two'])),
    );
    app.post('/bytes', { config }, async () => Buffer.from([0, 255]));
    app.post('/web', { config }, async () => new Response('web', { status: 203 }));
    app.post('/nothing', { config }, async (_request, reply) => reply.code(204).send());
    app.post('/raw', { config }, (_request, reply) => {
      reply.hijack();
      reply.raw.writeHead(200, { 'content-type': 'text/plain' });
      reply.raw.write('ra');
      reply.raw.end('w');
    });
    const answers = ['/stream', '/bytes', '/web', '/nothing', '/raw'].map(async (url) => {
      const { statusCode, rawPayload } = await run(app, { url });
      return [statusCode, rawPayload.toString('latin1')];
    });
    expect(await Promise.all(answers)).toEqual([
      [200, 'one two'],
      [200, '\u0000\u00ff'],
      [203, 'web'],
      [204, ''],
      [200, 'raw'],
    ]);
  });

  it('fails when its stream breaks, and when its answer sets a cookie or is too large', async () => {
    const app = await createApp({ limits: { maxResultBytes: 1_000 } });
    const config = { durable: { retries: 0 } };
    app.post('/broken', { config }, async (_request, reply) => {
      const stream = Readable.from(
        (async function* parts() {
          yield 'half';
          throw new Error('The disk is gone.');
        })(),
      );
      return reply.send(stream);
    });
    app.post('/cookie', { config }, async (_request, reply) =>
      reply.header('set-cookie', 'sid=1').send({}),
    );
    app.post('/large', { config }, async (_request, reply) =>
      reply.send(
        Readable.from(
          (function* endless() {
            for (;;) yield 'x'.repeat(100);
          })(),
        ),
      ),
    );
    const codes = ['/broken', '/cookie', '/large'].map(async (url) => {
      const { error } = await ended(app, await submit(app, { url }));
      return Reflect.get(Object(error), 'code');
    });
    expect(await Promise.all(codes)).toEqual([
      'handler_error',
      'response_refused',
      'result_too_large',
    ]);
  });

  it('has the durable context, and its signal as request.signal', async () => {
    const app = await createApp();
    app.post('/op', { config: { durable: true } }, async (request) => {
      const { intentId, operation, attempt, signal } = durable(request);
      return { intentId, operation, attempt, same: request.signal === signal };
    });
    const answer = await run(app);
    expect(answer.json()).toEqual({
      intentId: answer.headers['intent-id'],
      operation: 'POST /op',
      attempt: 1,
      same: true,
    });
  });
});

describe('what a handler throws', () => {
  it('is the answer below 500, as the app serialises errors, and is not tried again', async () => {
    const app = await createApp();
    let calls = 0;
    app.post('/op', { config: { durable: true } }, async () => {
      calls += 1;
      throw Object.assign(new Error('No such customer.'), { statusCode: 404 });
    });
    const answer = await run(app);
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toEqual({
      statusCode: 404,
      error: 'Not Found',
      message: 'No such customer.',
    });
    expect(calls).toBe(1);
  });

  it("goes through the scope's error handler, whose status decides", async () => {
    const app = await createApp();
    await app.register(async (scope) => {
      scope.setErrorHandler((error, _request, reply) => {
        const isKnown = error instanceof RangeError;
        return reply.code(isKnown ? 422 : 500).send({ mapped: isKnown });
      });
      const config = { durable: { retries: 0 } };
      scope.post('/known', { config }, async () => {
        throw new RangeError('Out of range.');
      });
      scope.post('/unknown', { config }, (_request, reply) => {
        reply.send(Object.assign(new Error('Broken.'), { expose: true }));
      });
    });
    const known = await run(app, { url: '/known' });
    expect([known.statusCode, known.json()]).toEqual([422, { mapped: true }]);
    const failed = await ended(app, await submit(app, { url: '/unknown' }));
    expect(failed['error']).toMatchObject({ code: 'handler_error', message: 'Broken.' });
  });

  it('decides for itself when it says how to go on, whatever the error handler makes of it', async () => {
    const app = await createApp();
    app.setErrorHandler((_error, _request, reply) => reply.code(422).send({}));
    app.post('/op', { config: { durable: true } }, async () => {
      throw new NonRetryableError('No such customer.');
    });
    const { status, error } = await ended(app, await submit(app));
    expect(status).toBe('FAILED');
    expect(error).toMatchObject({ code: 'non_retryable', message: 'No such customer.' });
  });

  it('after an abort is no answer', async () => {
    const app = await createApp();
    app.setErrorHandler((_error, _request, reply) => reply.code(422).send({}));
    const started = Promise.withResolvers<void>();
    app.post('/op', { config: { durable: true } }, async (request) => {
      const { signal } = durable(request);
      started.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw new Error('Stopped.');
    });
    const path = await submit(app);
    await started.promise;
    await app.inject({ method: 'DELETE', url: path });
    expect((await ended(app, path))['status']).toBe('CANCELED');
  });

  it("goes through the route's own error handler before that", async () => {
    const app = await createApp();
    app.post(
      '/op',
      {
        config: { durable: true },
        errorHandler: (_error, _request, reply) => {
          reply.code(418).send({ by: 'route' });
        },
      },
      () => {
        throw new Error('Tea.');
      },
    );
    const answer = await run(app);
    expect([answer.statusCode, answer.json()]).toEqual([418, { by: 'route' }]);
  });
});

describe('capture', () => {
  it('stores the named decorators and gives them back, and nothing else', async () => {
    const app = await createApp();
    app.decorateRequest('tenant', '');
    app.decorateRequest('secret', '');
    app.addHook('onRequest', async (request) => {
      Object.assign(request, { tenant: 't1', secret: 's3cret' });
    });
    app.post('/op', { config: { durable: { capture: ['tenant'] } } }, async (request) => ({
      tenant: request.getDecorator('tenant'),
      secret: request.getDecorator('secret'),
    }));
    expect((await run(app)).json()).toEqual({ tenant: 't1', secret: '' });
  });

  it('and restore may be functions', async () => {
    const app = await createApp();
    app.decorateRequest('account', null);
    app.addHook('onRequest', async (request) => {
      Object.assign(request, { account: { id: 7, token: 's3cret' } });
    });
    const options = {
      capture: (request: object) => ({ id: Reflect.get(Reflect.get(request, 'account'), 'id') }),
      restore: (captured: Readonly<Record<string, unknown>>, request: object) => {
        Reflect.set(request, 'account', { id: captured['id'], restored: true });
      },
    };
    app.post('/op', { config: { durable: options } }, async (request) =>
      request.getDecorator('account'),
    );
    expect((await run(app)).json()).toEqual({ id: 7, restored: true });
  });

  it('is asked for when a handler reads a user that was not captured', async () => {
    const app = await createApp();
    app.decorateRequest('user', null);
    app.addHook('onRequest', async (request) => {
      Object.assign(request, { user: { id: 'u1' } });
    });
    app.post('/op', { config: { durable: true } }, async (request) => Reflect.get(request, 'user'));
    app.post('/with', { config: { durable: { capture: ['user'] } } }, async (request) =>
      Reflect.get(request, 'user'),
    );
    const { status, error } = await ended(app, await submit(app));
    expect(status).toBe('FAILED');
    expect(JSON.stringify(error)).toContain("capture: ['user']");
    expect((await run(app, { url: '/with' })).json()).toEqual({ id: 'u1' });
  });
});
