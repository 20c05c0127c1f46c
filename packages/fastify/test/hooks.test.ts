import type { FastifyReply, FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { createApp, ended, run, submit } from './app.ts';

const OURS = { authorization: 'Bearer a' };
const THEIRS = { authorization: 'Bearer b' };

async function requireUser(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (request.headers.authorization === undefined) await reply.code(401).send({ who: 'nobody' });
}

const identify = (request: FastifyRequest): string => request.headers.authorization ?? 'nobody';

describe('the routes of an intent', () => {
  const asks = (path: string) =>
    [
      { method: 'GET', url: path },
      { method: 'HEAD', url: path },
      { method: 'GET', url: `${path}/events` },
      { method: 'GET', url: `${path}/result` },
      { method: 'DELETE', url: path },
      { method: 'POST', url: `${path}/cancel` },
      { method: 'PUT', url: path },
    ] as const;

  it("are behind the auth of the operation's child scope: 401 without, 404 for a foreign owner", async () => {
    const app = await createApp({ identify });
    await app.register(
      async (scope) => {
        scope.addHook('onRequest', requireUser);
        scope.post('/op', { config: { durable: true } }, async () => ({ secret: 42 }));
      },
      { prefix: '/private' },
    );
    const path = await submit(app, { url: '/private/op', headers: OURS });
    await ended(app, path, OURS);
    for (const ask of asks(path)) {
      const without = await app.inject(ask);
      expect([without.statusCode, without.body], `${ask.method} ${ask.url}`).toEqual([
        401,
        ask.method === 'HEAD' ? '' : '{"who":"nobody"}',
      ]);
      const foreign = await app.inject({ ...ask, headers: THEIRS });
      expect(foreign.statusCode).toBe(ask.method === 'PUT' ? 405 : 404);
    }
    const own = await app.inject({ url: `${path}/result`, headers: OURS });
    expect(own.json()).toEqual({ secret: 42 });
  });

  it('run the onRequest, preParsing, preValidation and preHandler hooks of the route itself', async () => {
    const app = await createApp();
    const seen: string[] = [];
    const note = (name: string) => async (request: FastifyRequest) => {
      seen.push(`${request.method} ${name}`);
    };
    app.post(
      '/op',
      {
        config: { durable: true },
        onRequest: note('onRequest'),
        preParsing: [note('preParsing')],
        preValidation: note('preValidation'),
        preHandler: [note('preHandler'), requireUser],
      },
      async () => ({}),
    );
    const path = await submit(app, { headers: OURS });
    for (const { method, url } of asks(path)) {
      seen.length = 0;
      const answer = await app.inject({ method, url });
      expect(answer.statusCode, `${method} ${url}`).toBe(401);
      const names = ['onRequest', 'preParsing', 'preValidation', 'preHandler'];
      expect(seen).toEqual(names.map((name) => `${method} ${name}`));
    }
  });

  it("show the route's config to hooks that decide by it", async () => {
    const app = await createApp();
    app.addHook('preHandler', async (request, reply) => {
      const needed: unknown = Reflect.get(request.routeOptions.config, 'role');
      if (needed !== undefined && request.headers['x-role'] !== needed)
        await reply.code(403).send();
    });
    const config = { durable: true, role: 'admin' };
    app.post('/op', { config }, async () => ({}));
    const path = await submit(app, { headers: { 'x-role': 'admin' } });
    for (const ask of asks(path)) expect((await app.inject(ask)).statusCode).toBe(403);
  });

  it('keep the constraints of the route', async () => {
    const app = await createApp();
    const options = { config: { durable: true }, constraints: { host: 'api.test' } };
    app.post('/op', options, async () => ({ by: 'constrained' }));
    const headers = { host: 'api.test' };
    const path = await submit(app, { headers });
    expect((await app.inject({ url: path })).statusCode).toBe(404);
    expect((await app.inject({ url: path, headers })).statusCode).toBe(200);
    expect((await run(app, { headers })).json()).toEqual({ by: 'constrained' });
  });

  it('take an empty cancel with a content type, as many clients send it', async () => {
    const app = await createApp();
    app.post('/op', { config: { durable: true } }, async () => ({}));
    const path = await submit(app);
    await ended(app, path);
    const headers = { 'content-type': 'application/json' };
    for (const ask of [
      { method: 'POST', url: `${path}/cancel` },
      { method: 'DELETE', url: path },
    ] as const) {
      const answer = await app.inject({ ...ask, headers });
      expect(answer.json()).toMatchObject({ code: 'intent_terminal' });
    }
  });
});

describe('an attempt', () => {
  it('meets none of the hooks of an HTTP exchange, wherever they were added', async () => {
    const app = await createApp();
    const seen: string[] = [];
    const onceEach = [
      'onRequest',
      'preParsing',
      'preValidation',
      'preHandler',
      'onResponse',
    ] as const;
    for (const name of onceEach) app.addHook(name, async () => void seen.push(name));
    app.addHook('onSend', async (_request, _reply, payload) => {
      seen.push('onSend');
      return payload;
    });
    await app.register(async (scope) => {
      scope.post('/op', { config: { durable: true } }, async () => void seen.push('handler'));
      scope.addHook('onRequest', async () => void seen.push('late onRequest'));
    });
    await ended(app, await submit(app));
    const exchange = ['onRequest', 'late onRequest', ...onceEach.slice(1, 4)];
    expect(seen.filter((name) => name === 'handler')).toHaveLength(1);
    // One exchange for the submit and one for the wait; the attempt adds nothing to them.
    expect(seen.filter((name) => exchange.includes(name))).toHaveLength(2 * exchange.length);
    expect(seen.filter((name) => name === 'onSend')).toHaveLength(2);
    expect(seen.filter((name) => name === 'onResponse').length).toBeLessThanOrEqual(2);
  });

  it('passes its answer through preSerialization once, and the result through onSend when it is served', async () => {
    const app = await createApp();
    app.addHook('preSerialization', async (_request, _reply, payload) => ({ data: payload }));
    app.addHook('onSend', async (_request, reply, payload) => {
      reply.header('x-sent', 'once');
      return payload;
    });
    const preSerialization = async (_request: unknown, _reply: unknown, payload: unknown) => ({
      outer: payload,
    });
    app.post('/op', { config: { durable: true }, preSerialization }, async () => ({ a: 1 }));
    const answer = await run(app);
    expect(answer.json()).toEqual({ outer: { data: { a: 1 } } });
    expect(answer.headers['x-sent']).toBe('once');
  });

  it('shows its errors to the onError hooks of the app', async () => {
    const app = await createApp();
    const seen: unknown[] = [];
    app.addHook('onError', async (request, _reply, error) => {
      seen.push([request.url, error.message]);
    });
    app.post('/op', { config: { durable: { retries: 1 } } }, async () => {
      throw new Error('Broken.');
    });
    await ended(app, await submit(app));
    expect(seen).toEqual([
      ['/op', 'Broken.'],
      ['/op', 'Broken.'],
    ]);
  });

  it('is out of reach of requests, also of one that knows its URL', async () => {
    const app = await createApp();
    let calls = 0;
    app.post('/op', { config: { durable: true } }, async () => void calls++);
    await app.ready();
    const routes = app.printRoutes({ commonPrefix: false });
    const id = /\.durable-attempts\/([0-9a-f-]{36})/.exec(routes)?.[1];
    expect(id).toBeDefined();
    const answer = await app.inject({
      method: 'POST',
      url: `/.durable-attempts/${id}`,
      payload: {},
    });
    const unknown = await app.inject({ method: 'POST', url: '/nothing', payload: {} });
    expect([answer.statusCode, calls]).toEqual([404, 0]);
    expect(Object.keys(answer.headers)).toEqual(Object.keys(unknown.headers));
  });

  it('logs under the id of the submit, with the intent and the attempt', async () => {
    const lines: Record<string, unknown>[] = [];
    const stream = { write: (line: string) => void lines.push(JSON.parse(line)) };
    const app = await createApp({}, { logger: { stream }, genReqId: () => 'req-9' });
    app.post('/op', { config: { durable: true } }, async (request) => {
      request.log.info('building');
      return {};
    });
    const answer = await run(app);
    const intentId = answer.headers['intent-id'];
    const ofAttempt = lines.filter((line) => line['intentId'] === intentId && 'attempt' in line);
    expect(ofAttempt.find(({ msg }) => msg === 'building')).toMatchObject({
      reqId: 'req-9',
      attempt: 1,
    });
    const first = ofAttempt.find(({ msg }) => msg === 'incoming request');
    expect(first?.['req']).toMatchObject({ method: 'POST', url: '/op' });
    expect(JSON.stringify(lines)).not.toContain('durable-attempts');
  });
});
