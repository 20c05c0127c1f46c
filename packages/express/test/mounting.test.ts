import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import compression from 'compression';
import cors from 'cors';
import express5, { Router, type NextFunction, type Request, type Response } from 'express';
import helmet from 'helmet';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { durableApi } from '../src/durable-api.ts';
import { appMaker, VERSIONS } from './app.ts';
import type { ExpressVersion } from './serve.ts';

const echo = (req: Request, res: Response): unknown =>
  res.json({ params: req.params, body: req.body });

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port was given.');
  return `http://127.0.0.1:${address.port}`;
}

describe.each(VERSIONS)('an operation in %s', (_, express: ExpressVersion) => {
  const make = appMaker();

  it('stands behind the same middleware on all its routes', async () => {
    const { app, api } = make(express);
    let isOpen = true;
    app.use(
      '/op',
      (_req: Request, res: Response, next: NextFunction) =>
        isOpen ? next() : res.status(401).end(),
      express.json(),
      api.operation(echo),
    );
    const submitted = await request(app).post('/op').send({ a: 1 });
    const self = submitted.headers['location'] ?? '';
    isOpen = false;
    for (const [method, path] of [
      ['post', '/op'],
      ['get', self],
      ['get', `${self}/events`],
      ['get', `${self}/result`],
      ['delete', self],
      ['post', `${self}/cancel`],
    ] as const) {
      expect((await request(app)[method](path)).status, `${method} ${path}`).toBe(401);
    }
  });

  it('opens streams by ticket in front of the authentication, and nothing else', async () => {
    const { app, api } = make(express, { tickets: { secret: 'a secret of the servers, 32 long' } });
    const requireAuth = (req: Request, res: Response, next: NextFunction): unknown =>
      req.headers.authorization === 'alice' ? next() : res.status(401).json('Log in.');
    app.use('/op', api.tickets(), requireAuth, express.json(), api.operation(echo));
    const alice = { authorization: 'alice' };
    const submitted = await request(app).post('/op').set(alice).send({ a: 1 });
    const self = submitted.headers['location'] ?? '';
    expect((await request(app).post(`${self}/ticket`)).status).toBe(401);
    const minted = await request(app).post(`${self}/ticket`).set(alice);
    const stream = await request(app).get(minted.body.url);
    expect(stream.text).toContain('event: intent.completed');
    expect((await request(app).get(minted.body.url)).body).toMatchObject({
      code: 'ticket_invalid',
    });
    for (const path of [self, `${self}/events`, `${self}/result?ticket=${minted.body.ticket}`]) {
      expect((await request(app).get(path)).body).toBe('Log in.');
    }
  });

  it('leaves what is not its own to the app: GET P, GET P/:id of the app, other methods', async () => {
    const { app, api } = make(express);
    app.use('/op', express.json(), api.operation(echo));
    app.get('/op', (_req, res) => void res.json('all of them'));
    app.get('/op/:id', (req, res) => void res.json(req.params['id']));
    app.put('/op', (_req, res) => void res.json('put'));
    expect((await request(app).get('/op')).body).toBe('all of them');
    expect((await request(app).get('/op/summary')).body).toBe('summary');
    expect((await request(app).put('/op')).body).toBe('put');
  });

  it('works on a router of a router, with the links of the whole path', async () => {
    const { app, api } = make(express);
    const outer = Router({ mergeParams: true });
    outer.use('/reports', express.json(), api.operation(echo));
    app.use('/t/:tenant', outer);
    const submitted = await request(app).post('/t/acme/reports').send({ a: 1 });
    expect(submitted.headers['location']).toMatch(/^\/t\/acme\/reports\/[0-9a-f-]{36}$/);
    const result = await request(app)
      .post('/t/acme/reports')
      .set('prefer', 'wait=10')
      .send({ a: 1 });
    expect(result.body).toMatchObject({ body: { a: 1 } });
  });

  it('works in a sub-app', async () => {
    const { app, api } = make(express);
    const sub = express();
    sub.use('/op', express.json(), api.operation(echo));
    app.use('/v1', sub);
    const submitted = await request(app).post('/v1/op').send({});
    const snapshot = await request(app).get(submitted.headers['location'] ?? '');
    expect(snapshot.body.links.events).toMatch(/^\/v1\/op\//);
  });

  it('mounted as a handler of one route says how to mount it', async () => {
    const { app, api } = make(express);
    app.post('/op', express.json(), api.operation(echo));
    const response = await request(app).post('/op').send({});
    expect(response.status).toBe(500);
    expect(response.body).toMatchObject({ code: 'mount_invalid' });
    expect(response.body.detail).toContain(
      "app.use('/op', express.json(), api.operation(handler))",
    );
  });

  it('without a body parser says what to add', async () => {
    const { app, api } = make(express);
    app.use('/op', api.operation(echo));
    const response = await request(app).post('/op').send({ a: 1 });
    expect(response.body).toMatchObject({ code: 'body_parser_missing' });
    expect(response.body.detail).toContain('express.json()');
    expect((await request(app).post('/op')).status).toBe(202);
  });

  it('refuses what no parser takes, such as an upload, with advice', async () => {
    const { app, api } = make(express);
    app.use('/op', express.json(), api.operation(echo));
    const response = await request(app).post('/op').attach('file', Buffer.from('x'), 'x.txt');
    expect(response.status).toBe(415);
    expect(response.body).toMatchObject({ code: 'payload_not_json' });
    expect(response.body.detail).toContain('reference');
  });

  it('without options says that a store is missing', () => {
    expect(() => Reflect.apply(durableApi, null, [])).toThrow(/store: must be a store/);
  });

  it('makes problems of the errors of the body parser, and passes all others on', async () => {
    const { app, api } = make(express);
    app.use('/op', express.json({ limit: '1kb' }), api.operation(echo));
    app.use('/own', (_req: Request, _res: Response) => {
      throw new Error('the app’s own');
    });
    const json = { 'content-type': 'application/json' };
    const broken = await request(app).post('/op').set(json).send('{"a":');
    expect(broken.body).toMatchObject({ status: 400, code: 'body_unreadable' });
    const scalar = await request(app).post('/op').set(json).send('null');
    expect(scalar.body.detail).toContain('no well-formed JSON object, JSON list or form');
    const large = await request(app)
      .post('/op')
      .send({ a: 'x'.repeat(2_000) });
    expect(large.body).toMatchObject({ status: 413, code: 'payload_too_large' });
    expect(large.body.detail).toContain('raise the limit of its parser');
    expect((await request(app).post('/own')).headers['content-type']).toContain('text/html');
  });

  it('refuses at once what is no handler, has no name, or has the name of another', () => {
    const { api } = make(express);
    // @ts-expect-error: not a function
    expect(() => api.operation({})).toThrow('takes the handler of a route');
    expect(() => api.operation((_req, res) => res.end())).toThrow('needs a name');
    api.operation(echo);
    expect(() => api.operation(echo)).toThrow('Two operations are called "echo"');
    expect(() => api.operation(echo, { name: 'x', retrys: 1 } as object)).toThrow('retrys');
  });

  it('streams events one by one through compression, with the headers of helmet and cors', async () => {
    const { app, api } = make(express);
    const gate = Promise.withResolvers<void>();
    app.use(helmet(), cors({ origin: 'https://example.com' }), compression());
    const handler = async (_req: Request, res: Response): Promise<void> => {
      await gate.promise;
      res.json({ done: true });
    };
    app.use('/op', api.operation(handler, { name: 'op' }));
    const server = createServer(app);
    const origin = await listening(server);
    const submitted = await request(app).post('/op');
    const response = await new Promise<IncomingMessage>((resolve) => {
      const headers = { accept: 'text/event-stream', 'accept-encoding': 'gzip' };
      get(`${origin}${submitted.headers['location']}/events`, { headers }, resolve);
    });
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'access-control-allow-origin': 'https://example.com',
      'x-accel-buffering': 'no',
    });
    expect(response.headers['content-security-policy']).toBeDefined();
    expect(response.headers['content-encoding']).toBeUndefined();
    expect(response.headers['vary']).toMatch(/Origin/);
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    await expect.poll(() => text).toContain('event: intent.in_progress');
    gate.resolve();
    await once(response, 'end');
    expect(text).toContain('event: intent.completed');
    server.close();
  });

  it('lets the server close while observers are connected, and tells them when to come back', async () => {
    const { app, api } = make(express);
    app.use(
      '/op',
      api.operation(() => {}, { name: 'op' }),
    );
    const server = createServer(app);
    const origin = await listening(server);
    const submitted = await fetch(`${origin}/op`, { method: 'POST' });
    const stream = await fetch(`${origin}${submitted.headers.get('location')}/events`);
    const text = stream.text();
    const closed = once(server, 'close');
    await api.stop({ graceMs: 0 });
    server.close();
    server.closeIdleConnections();
    await closed;
    expect((await text).trimEnd()).toMatch(/retry: \d{4,}$/);
  });
});

it('keeps raw bytes of a body as bytes', async () => {
  const make = appMaker();
  const { app, api } = make(express5);
  const handler = (req: Request, res: Response): unknown =>
    res.json({ isBytes: Buffer.isBuffer(req.body), text: String(req.body) });
  app.use('/op', express5.raw({ type: '*/*' }), api.operation(handler, { name: 'op' }));
  const response = await request(app)
    .post('/op')
    .set({ prefer: 'wait=10', 'content-type': 'application/octet-stream' })
    .send(Buffer.from('bytes'));
  expect(response.body).toEqual({ isBytes: true, text: 'bytes' });
});
