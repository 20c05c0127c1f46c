import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { describe, expect, it } from 'vitest';
import { createApp, ended, run, submit } from './app.ts';

const body = {
  type: 'object',
  required: ['pages'],
  additionalProperties: false,
  properties: { pages: { type: 'integer' }, paper: { type: 'string', default: 'A4' } },
};

describe('the schema of a durable route', () => {
  it("validates before the submit, with the app's own answer, and nothing is stored", async () => {
    const app = await createApp();
    let calls = 0;
    app.post('/op', { config: { durable: true }, schema: { body } }, async () => void calls++);
    const refused = await run(app, { body: { pages: 'many' } });
    expect(refused.statusCode).toBe(400);
    expect(refused.json()).toMatchObject({
      code: 'FST_ERR_VALIDATION',
      message: 'body/pages must be integer',
    });
    expect(refused.headers['intent-id']).toBeUndefined();
    expect(calls).toBe(0);
  });

  it('gives the handler what validation made: coerced, with defaults, without the rest', async () => {
    const app = await createApp();
    const querystring = { type: 'object', properties: { dpi: { type: 'integer', default: 300 } } };
    const params = { type: 'object', properties: { no: { type: 'integer' } } };
    app.post(
      '/op/:no',
      { config: { durable: true }, schema: { body, querystring, params } },
      async (request) => [request.body, request.query, request.params],
    );
    const answer = await run(app, { url: '/op/7', body: { pages: '3', extra: true } });
    expect(answer.json()).toEqual([{ pages: 3, paper: 'A4' }, { dpi: 300 }, { no: 7 }]);
  });

  it('for 2xx is applied to the result, and strips nothing of the 202', async () => {
    const app = await createApp();
    const only = { type: 'object', properties: { total: { type: 'number' } } };
    const schema = { response: { '2xx': only, 202: only, 409: only } };
    app.post('/op', { config: { durable: true }, schema }, async () => ({
      total: '12',
      secret: 'hidden',
    }));
    const accepted = await run(app, { headers: { prefer: 'respond-async' } });
    const { intent_id: id, links } = accepted.json();
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    await ended(app, links.self);
    const result = await app.inject({ url: links.result });
    expect(result.body).toBe('{"total":12}');
    const conflict = await app.inject({ method: 'DELETE', url: links.self });
    expect(conflict.json()).toMatchObject({ code: 'intent_terminal', intent_id: id });
  });

  it('whose result does not match it has failed', async () => {
    const app = await createApp();
    const schema = {
      response: { 200: { type: 'object', required: ['total'], properties: { total: {} } } },
    };
    app.post('/op', { config: { durable: { retries: 0 } }, schema }, async () => ({}));
    const { status, error } = await ended(app, await submit(app));
    expect([status, JSON.stringify(error)]).toEqual(['FAILED', expect.stringContaining('total')]);
  });

  it('is not inherited by the routes of its intents', async () => {
    const app = await createApp();
    const headers = { type: 'object', required: ['x-needed'] };
    const querystring = { type: 'object', required: ['needed'] };
    const params = { type: 'object', additionalProperties: false, properties: { tenant: {} } };
    const schema = { body, headers, querystring, params };
    app.post('/:tenant/op', { config: { durable: true }, schema, bodyLimit: 30 }, async () => ({}));
    const path = await submit(app, {
      url: '/t/op?needed=1',
      body: { pages: 1 },
      headers: { 'x-needed': '1' },
    });
    expect((await ended(app, path))['status']).toBe('COMPLETED');
    const payload = { reason: 'longer than thirty bytes, and not of the schema' };
    const cancel = await app.inject({ method: 'POST', url: `${path}/cancel`, payload });
    expect(cancel.json()).toMatchObject({ code: 'intent_terminal' });
  });

  it('of a type provider types the handler', async () => {
    const app = (await createApp()).withTypeProvider<TypeBoxTypeProvider>();
    const schema = {
      body: Type.Object({ pages: Type.Integer() }),
      response: { 200: Type.Object({ next: Type.Integer() }) },
    };
    app.post('/op', { config: { durable: true }, schema }, async (request) => ({
      next: request.body.pages + 1,
    }));
    expect((await run(app, { body: { pages: 3 } })).json()).toEqual({ next: 4 });
  });
});

describe('a validator that makes values JSON cannot carry', () => {
  /** As type providers are: the schema is code, and validation returns what it made. */
  type Parse = (input: unknown) => unknown;
  const isParse = (schema: unknown): schema is Parse => typeof schema === 'function';
  const compile = ({ schema }: { readonly schema: unknown }) => {
    if (!isParse(schema)) throw new Error('Not a schema of this provider.');
    return (data: unknown) => {
      try {
        return { value: schema(data) };
      } catch (error) {
        return { error: error instanceof Error ? error : new Error(String(error)) };
      }
    };
  };
  const since: Parse = (input) => ({
    since: new Date(String(Reflect.get(Object(input), 'since'))),
  });
  const length: Parse = (input) => {
    if (typeof input !== 'object' || input === null) throw new Error('Not an object.');
    const text: unknown = Reflect.get(input, 'text');
    if (typeof text !== 'string') throw new Error('text must be a string');
    return { text: text.length };
  };

  it('gives the attempt the same types again', async () => {
    const app = await createApp();
    app.setValidatorCompiler(compile);
    app.setSerializerCompiler(({ schema }) => {
      if (!isParse(schema)) throw new Error('Not a schema of this provider.');
      return (data) => JSON.stringify(schema(data));
    });
    const response = { 200: (data: unknown) => ({ wrapped: data }) };
    app.post(
      '/op',
      { config: { durable: true }, schema: { body: since, response } },
      async (request) => {
        const date: unknown = Reflect.get(Object(request.body), 'since');
        return {
          isDate: date instanceof Date,
          year: date instanceof Date ? date.getFullYear() : 0,
        };
      },
    );
    const answer = await run(app, { body: { since: '2026-07-01' } });
    expect(answer.json()).toEqual({ wrapped: { isDate: true, year: 2026 } });
  });

  it('is not asked a second time about values that JSON carries', async () => {
    const app = await createApp();
    app.setValidatorCompiler(compile);
    let calls = 0;
    const counted: Parse = (input) => {
      calls += 1;
      return length(input);
    };
    const schema = { body: counted };
    app.post('/op', { config: { durable: true }, schema }, async (request) => request.body);
    expect((await run(app, { body: { text: 'four' } })).json()).toEqual({ text: 4 });
    expect(calls).toBe(1);
  });

  it('fails for good when a deploy has changed its mind about stored input', async () => {
    const app = await createApp();
    app.setValidatorCompiler(compile);
    let calls = 0;
    const once: Parse = (input) => {
      calls += 1;
      if (calls > 1) throw new Error('Not any more.');
      return since(input);
    };
    app.post('/op', { config: { durable: true }, schema: { body: once } }, async () => ({}));
    const { status, error } = await ended(
      app,
      await submit(app, { body: { since: '2026-07-01' } }),
    );
    expect(status).toBe('FAILED');
    expect(error).toMatchObject({ code: 'non_retryable' });
  });
});

it('attachValidation leaves it to the handler to say what is wrong', async () => {
  const app = await createApp();
  app.post(
    '/op',
    { config: { durable: true }, schema: { body }, attachValidation: true },
    async (request) => ({ problem: request.validationError?.message ?? null }),
  );
  expect((await run(app, { body: { pages: 'many' } })).json()).toEqual({
    problem: 'body/pages must be integer',
  });
  expect((await run(app, { body: { pages: 1 } })).json()).toEqual({ problem: null });
});
