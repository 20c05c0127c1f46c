import { memoryStore } from '@durable-api/core';
import fastify from 'fastify';
import { expect, it, vi } from 'vitest';
import plugin, { durable, durableApi } from '../src/index.ts';
import { createApp, ended, run, submit } from './app.ts';

const config = { durable: true };
const handler = async (): Promise<object> => ({});

it('the plugin is the default export and has a name', () => {
  expect(plugin).toBe(durableApi);
});

it('an operation is called after method and URL, prefixes included', async () => {
  const app = await createApp();
  await app.register(async (scope) => scope.post('/generate', { config }, handler), {
    prefix: '/v1/reports',
  });
  const path = await submit(app, { url: '/v1/reports/generate' });
  expect(path).toMatch(/^\/v1\/reports\/generate\/[0-9a-f-]{36}$/);
  expect(await ended(app, path)).toMatchObject({
    operation: 'POST /v1/reports/generate',
    status: 'COMPLETED',
  });
});

it('the root of a prefix can be an operation, with and without the slash', async () => {
  const app = await createApp();
  await app.register(async (scope) => scope.post('/', { config }, handler), { prefix: '/op' });
  for (const url of ['/op', '/op/']) {
    const path = await submit(app, { url });
    expect(path).toMatch(/^\/op\/[0-9a-f-]{36}$/);
    expect((await ended(app, path))['operation']).toBe('POST /op');
  }
});

it('the root of the app can be an operation', async () => {
  const app = await createApp();
  app.post('/', { config }, handler);
  const path = await submit(app, { url: '/' });
  expect(path).toMatch(/^\/[0-9a-f-]{36}$/);
  expect((await ended(app, path))['status']).toBe('COMPLETED');
});

it('a prefix may have parameters, and the path links as the client sent it', async () => {
  const app = await createApp({}, { routerOptions: { caseSensitive: false } });
  await app.register(
    async (scope) => scope.post('/op', { config }, async (request) => request.params),
    { prefix: '/t/:tenant' },
  );
  const path = await submit(app, { url: '/T/a%20b/Op' });
  expect(path).toMatch(/^\/T\/a%20b\/Op\//);
  await ended(app, path);
  expect((await app.inject({ url: `${path}/result` })).json()).toEqual({ tenant: 'a b' });
});

it('a rewritten URL links as the client sent it', async () => {
  const rewriteUrl = ({ url = '' }: { readonly url?: string | undefined }): string =>
    url.replace(/^\/svc/, '');
  const app = await createApp({}, { rewriteUrl });
  app.post('/op', { config }, async (request) => [request.url, request.originalUrl]);
  const path = await submit(app, { url: '/svc/op?x=1' });
  expect(path).toMatch(/^\/svc\/op\//);
  await ended(app, path);
  expect((await app.inject({ url: `${path}/result` })).json()).toEqual(['/op?x=1', '/svc/op?x=1']);
});

it('a GET P/:id route that the app has keeps its ids, declared before or after', async () => {
  const app = await createApp();
  const own = async (request: { readonly params: unknown }): Promise<unknown> => request.params;
  app.get('/before/:id', own);
  app.post('/before', { config }, handler);
  app.post('/after', { config }, handler);
  app.get('/after/:id', own);
  app.get('/after/:id/events', own);
  for (const url of ['/before', '/after']) {
    const path = await submit(app, { url });
    expect((await ended(app, path))['status']).toBe('COMPLETED');
    expect((await app.inject({ url: `${url}/42` })).json()).toEqual({ id: '42' });
  }
  expect((await app.inject({ url: '/after/42/events' })).json()).toEqual({ id: '42' });
});

it('other methods of the same path stay what they are', async () => {
  const app = await createApp();
  app.post('/op', { config }, handler);
  app.get('/op', async () => ({ own: 'list' }));
  expect((await app.inject({ url: '/op' })).json()).toEqual({ own: 'list' });
});

it.each([
  ['a GET', (): object => ({ method: 'GET', url: '/op' }), /must take POST/],
  ['two methods', (): object => ({ method: ['POST', 'PUT'], url: '/op' }), /must take POST/],
  ['a wildcard', (): object => ({ method: 'POST', url: '/files/*' }), /wildcard/],
  ['an optional parameter', (): object => ({ method: 'POST', url: '/files/:a?' }), /optional/],
])('%s is refused where it is declared, with advice', async (_what, route, message) => {
  const app = await createApp();
  const options = { method: 'POST', url: '/', ...route() };
  expect(() => app.route({ config, handler, ...options })).toThrow(message);
});

it('a GET of the contract has HEAD, also in an app that wants it nowhere else', async () => {
  const app = await createApp({}, { exposeHeadRoutes: false });
  app.post('/op', { config }, handler);
  const path = await submit(app);
  await ended(app, path);
  const head = await app.inject({ method: 'HEAD', url: path });
  const full = await app.inject({ url: path });
  expect([head.statusCode, head.body]).toEqual([200, '']);
  expect(head.headers).toMatchObject({
    etag: full.headers.etag,
    'content-length': full.headers['content-length'],
  });
});

it('durable: false is a route like any other', async () => {
  const app = await createApp();
  app.get('/op', { config: { durable: false } }, handler);
  expect((await app.inject({ url: '/op' })).statusCode).toBe(200);
});

it('two operations of one name, and options that there are not, keep the app from starting', async () => {
  const twice = await createApp();
  for (const url of ['/a', '/b'])
    twice.post(url, { config: { durable: { name: 'same' } } }, handler);
  await expect(twice.ready()).rejects.toMatchObject({ code: 'operation_duplicate' });
  const wrong = await createApp();
  const options: object = { retry: 3 };
  wrong.post('/op', { config: { durable: options } }, handler);
  await expect(wrong.ready()).rejects.toThrow(/POST \/op.*\n.*retry/);
});

it('wrong options of the plugin keep the app from starting', async () => {
  const app = fastify();
  const options = { store: memoryStore(), concurrency: 0 };
  await expect(app.register(durableApi, options)).rejects.toMatchObject({
    code: 'options_invalid',
  });
});

it('handlerTimeout limits an attempt, not the submit, a wait or a stream', async () => {
  const app = await createApp({}, { handlerTimeout: 50 });
  const gate = Promise.withResolvers<object>();
  app.post('/slow', { config }, () => gate.promise);
  app.post(
    '/limited',
    { config: { durable: { retries: 0 } }, handlerTimeout: 20 },
    () => new Promise(() => {}),
  );
  const limited = await ended(app, await submit(app, { url: '/limited' }));
  expect(limited['error']).toMatchObject({ code: 'attempt_timeout' });
  const waiting = run(app, { url: '/slow' });
  // Ends after the server's timeout has passed, so that the wait must have outlasted it.
  const path = await submit(app, { url: '/slow', headers: {} });
  await app.inject({ url: path, headers: { prefer: 'wait=1', 'if-none-match': '*' } });
  gate.resolve({ done: true });
  expect((await waiting).json()).toEqual({ done: true });
});

it('handlerTimeout of the route does not cut off who waits for more than one attempt', async () => {
  const app = await createApp();
  const options = { config: { durable: { retries: 1 } }, handlerTimeout: 50 };
  app.post('/op', options, async (request) => {
    if (durable(request).attempt === 1) return new Promise<object>(() => {});
    return { done: true };
  });
  expect((await run(app)).json()).toEqual({ done: true });
});

it('a durable route that is declared before the plugin says so instead of running its handler', async () => {
  const app = fastify();
  let calls = 0;
  app.get('/usual', handler);
  app.post('/early', { config }, async () => (calls += 1));
  // Without the await, as one forgets it.
  app.register(plugin, { store: memoryStore() });
  await app.after();
  app.post('/late', { config }, handler);
  const early = await app.inject({ method: 'POST', url: '/early', payload: {} });
  expect(early.statusCode).toBe(500);
  expect(early.json()).toMatchObject({
    code: 'mount_invalid',
    message: expect.stringContaining('POST /early was declared before the plugin'),
  });
  expect(calls).toBe(0);
  expect((await app.inject('/usual')).statusCode).toBe(200);
  expect((await app.inject('/none')).statusCode).toBe(404);
  const path = await submit(app, { url: '/late' });
  expect((await ended(app, path))['status']).toBe('COMPLETED');
  await app.close();
});

it('routes cost nothing more when the plugin is there before them', async () => {
  const app = fastify();
  const addHook = vi.spyOn(app, 'addHook');
  await app.register(plugin, { store: memoryStore() });
  await app.ready();
  const hooks = addHook.mock.calls.map(([name]) => name);
  expect(hooks).toContain('onRoute');
  expect(hooks).not.toContain('onRequest');
  await app.close();
});
