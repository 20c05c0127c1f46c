import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import compression from 'compression';
import type { NextFunction, Request, Response } from 'express';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { durable, NonRetryableError } from '../src/index.ts';
import { appMaker, VERSIONS } from './app.ts';
import type { ExpressVersion } from './serve.ts';

const FILE = fileURLToPath(import.meta.url);

describe.each(VERSIONS)('a handler of %s', (_, express: ExpressVersion) => {
  const make = appMaker();

  type Handler = (req: Request, res: Response, next: NextFunction) => unknown;

  /** Submits to an operation of `handler` and waits for its result. */
  function run(handler: Handler, options: object = {}, body: object = { quarter: 'Q3' }) {
    const { app, api } = make(express);
    const operation = api.operation(handler, { name: 'op', retries: 0, ...options });
    app.use('/t/:tenant/op', express.json(), operation);
    return request(app).post('/t/acme/op?page=2').set('prefer', 'wait=10').send(body);
  }

  it('finds its request as it was: method, paths, params, query, body and harmless headers', async () => {
    const response = await run((req, res) => {
      const { method, originalUrl, baseUrl, url, path, params, query, body } = req;
      const type = req.get('content-type');
      res.json({
        method,
        originalUrl,
        baseUrl,
        url,
        path,
        params,
        query,
        body,
        type,
        json: req.is('json'),
      });
    });
    expect(response.body).toEqual({
      method: 'POST',
      originalUrl: '/t/acme/op?page=2',
      baseUrl: '/t/acme/op',
      url: '/?page=2',
      path: '/',
      params: { tenant: 'acme' },
      query: { page: '2' },
      body: { quarter: 'Q3' },
      type: 'application/json',
      json: 'json',
    });
  });

  it('finds the app, its settings and its locals', async () => {
    const { app, api } = make(express);
    app.set('title', 'Reports');
    app.locals['currency'] = 'EUR';
    const handler: Handler = (req, res) => {
      res.json([req.app.get('title'), res.app.locals['currency'], res.req === req]);
    };
    app.use('/op', express.json(), api.operation(handler));
    const response = await request(app).post('/op').set('prefer', 'wait=10');
    expect(response.body).toEqual(['Reports', 'EUR', true]);
  });

  it('is given what a submit from code gives it, before there was any request', async () => {
    const { app, api } = make(express);
    const handler: Handler = ({ method, originalUrl, params, query, body }, res) =>
      res.json({ method, originalUrl, params, query, body });
    app.use('/op', express.json(), api.operation(handler, { name: 'op' }));
    const { intents } = api;
    const bare = await intents.submit('op', { body: { quarter: 'Q3' } });
    const full = await intents.submit('op', { rest: { params: { tenant: 'acme' } } });
    const resultOf = async (id: string): Promise<unknown> => {
      let status = '';
      for await (const event of intents.observe(id)) status = event.status;
      expect(status).toBe('COMPLETED');
      return JSON.parse(String(Buffer.from((await intents.result(id))?.body ?? '')));
    };
    const usual = { method: 'POST', originalUrl: '/', params: {}, query: {} };
    expect(await resultOf(bare.record.id)).toEqual({ ...usual, body: { quarter: 'Q3' } });
    expect(await resultOf(full.record.id)).toEqual({ ...usual, params: { tenant: 'acme' } });
  });

  it('may answer later, from a callback', async () => {
    const response = await run((_req, res) => {
      setTimeout(() => res.status(201).json({ later: true }), 5);
    });
    expect(response.status).toBe(201);
    expect(response.body).toEqual({ later: true });
  });

  it('may return its result instead of writing it', async () => {
    const response = await run(async () => ({ returned: true }));
    expect(response.body).toEqual({ returned: true });
  });

  it('may redirect, and the result is the redirect', async () => {
    const response = await run((_req, res) => res.redirect(303, '/elsewhere'));
    expect(response.status).toBe(303);
    expect(response.headers['location']).toBe('/elsewhere');
  });

  it('may send a file', async () => {
    const response = await run((_req, res) => res.sendFile(FILE));
    expect(response.status).toBe(200);
    expect(response.text ?? response.body.toString()).toContain('may send a file');
  });

  it('may pipe a stream into its response', async () => {
    const response = await run((_req, res) => {
      res.type('text');
      createReadStream(FILE).pipe(res);
    });
    expect(response.text).toContain('may pipe a stream');
  });

  it('may write in pieces, and heed back-pressure', async () => {
    const response = await run(async (_req, res) => {
      res.type('text').write('one ');
      for await (const piece of Readable.from(['two ', 'three'])) res.write(piece);
      res.end();
    });
    expect(response.text).toBe('one two three');
  });

  it('may answer with bytes, which come back as they were', async () => {
    const bytes = Buffer.from([0, 255, 1, 254]);
    const response = await run((_req, res) => res.type('application/pdf').send(bytes)).buffer(true);
    expect(response.headers['content-type']).toBe('application/pdf');
    expect(Buffer.from(response.body)).toEqual(bytes);
  });

  it('that fails a stream in its middle has failed, and does not hang', async () => {
    const response = await run((_req, res) => {
      const broken = new Readable({ read() {} });
      broken.on('error', (error) => res.destroy(error));
      broken.pipe(res);
      broken.push('half');
      setImmediate(() => broken.destroy(new NonRetryableError('The disk broke.')));
    });
    expect(response.status).toBe(500);
    expect(response.body).toMatchObject({
      code: 'intent_failed',
      error: { message: 'The disk broke.' },
    });
  });

  it('sees `finish` and `close` of its response, as loggers do', async () => {
    const seen: string[] = [];
    await run((_req, res) => {
      res.on('finish', () => seen.push('finish'));
      res.on('close', () => seen.push('close'));
      res.json({ sent: true });
    });
    await expect.poll(() => seen).toEqual(['finish', 'close']);
  });

  it('that sets a cookie is refused with advice, since its response is served later', async () => {
    const response = await run((_req, res) => res.cookie('a', 'b').json({}));
    expect(response.body.error).toMatchObject({ code: 'response_refused', retryable: false });
    expect(response.body.error.message).toContain('middleware before the operation');
  });

  it('that passes an error to next has failed', async () => {
    const response = await run((_req, _res, next) =>
      next(new NonRetryableError('No such quarter.')),
    );
    expect(response.body).toMatchObject({
      code: 'intent_failed',
      error: { code: 'non_retryable' },
    });
  });

  it('that calls next without answering is told so', async () => {
    const response = await run((_req, _res, next) => next());
    expect(response.body.error).toMatchObject({ code: 'handler_passed', retryable: false });
  });

  it('that answers twice has given its first answer', async () => {
    const response = await run((_req, res) => {
      res.json({ first: true });
      res.end('second');
    });
    expect(response.body).toEqual({ first: true });
  });

  it('that wants its user is told to capture it', async () => {
    const { app, api } = make(express);
    const user = { id: 7 };
    app.use((req, _res, next) => {
      Object.assign(req, { user });
      next();
    });
    const handler = (req: Request & { user?: { id: number } }, res: Response): unknown =>
      res.json({ id: req.user?.id });
    const captured = api.operation(handler, {
      name: 'captured',
      capture: (req: Request & { user?: { id: number } }) => ({ user: req.user }),
    });
    app.use('/captured', captured);
    app.use('/forgotten', api.operation(handler, { name: 'forgotten' }));
    const kept = await request(app).post('/captured').set('prefer', 'wait=10');
    expect(kept.body).toEqual({ id: 7 });
    const lost = await request(app).post('/forgotten').set('prefer', 'wait=10');
    expect(lost.body.error.message).toContain('capture: (req) => ({ user: req.user })');
  });

  it('gets no credentials, whatever the submit had', async () => {
    const { app, api } = make(express);
    app.use(
      '/op',
      api.operation((req, res) => res.json(req.headers), { name: 'op' }),
    );
    const response = await request(app)
      .post('/op')
      .set({ prefer: 'wait=10', authorization: 'Bearer s', cookie: 'a=b', 'x-api-key': 'k' });
    expect(Object.keys(response.body)).not.toContain('authorization');
    expect(Object.keys(response.body)).not.toContain('cookie');
    expect(Object.keys(response.body)).not.toContain('x-api-key');
  });

  it('has its durable context, and hears of a cancel by its signal', async () => {
    const { app, api } = make(express);
    const aborted = Promise.withResolvers<unknown>();
    const handler: Handler = (req) => {
      const { signal } = durable(req);
      signal.addEventListener('abort', () => aborted.resolve(signal.reason));
    };
    app.use('/op', api.operation(handler, { name: 'op' }));
    const submitted = await request(app).post('/op');
    await request(app).delete(submitted.headers['location'] ?? '');
    expect(await aborted.promise).toMatchObject({ cause: 'canceled' });
  });

  it('may stand behind compression, which then compresses its result', async () => {
    const { app, api } = make(express);
    const text = 'a line that repeats itself\n'.repeat(500);
    app.use(compression());
    app.use(
      '/op',
      api.operation((_req, res) => res.type('text').send(text), { name: 'op' }),
    );
    const response = await request(app).post('/op').set('prefer', 'wait=10');
    expect(response.headers['content-encoding']).toBe('gzip');
    expect(response.text).toBe(text);
  });
});
