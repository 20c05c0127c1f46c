import { memoryStore } from '@durable-api/core';
import type { InjectOptions } from 'fastify';
import { describe, expect, it } from 'vitest';
import { durableApi } from '../src/index.ts';
import { createApp, fastify50, submit } from './app.ts';

const json = { 'content-type': 'application/json' };

const UNREADABLE: readonly {
  readonly what: string;
  readonly code: string;
  readonly send: InjectOptions;
}[] = [
  { what: 'malformed JSON', code: 'body_unreadable', send: { headers: json, payload: '{"a":' } },
  {
    what: 'an empty JSON body',
    code: 'body_unreadable',
    send: { headers: { ...json, 'content-length': '0' } },
  },
  {
    what: 'a key __proto__',
    code: 'body_unreadable',
    send: { headers: json, payload: '{"__proto__":{"isAdmin":true}}' },
  },
  {
    what: 'another length than it says',
    code: 'body_unreadable',
    send: { headers: { ...json, 'content-length': '3' }, payload: '{"a":1}' },
  },
  {
    what: 'more than the bodyLimit',
    code: 'payload_too_large',
    send: { headers: json, payload: { text: 'x'.repeat(200) } },
  },
  {
    what: 'a media type that nobody parses',
    code: 'payload_not_json',
    send: { headers: { 'content-type': 'application/x-yaml' }, payload: 'a: 1' },
  },
];

describe.each(['5.x', '5.0'])('on Fastify %s, a body', (version) => {
  for (const { what, code, send } of UNREADABLE) {
    it(`with ${what} is answered with our problem on a durable route, with the app's elsewhere`, async () => {
      const app = version === '5.x' ? await createApp() : fastify50();
      if (version === '5.0') await app.register(durableApi, { store: memoryStore() });
      app.post('/op', { config: { durable: true }, bodyLimit: 100 }, async () => ({}));
      app.post('/own', { bodyLimit: 100 }, async () => ({}));
      const answer = await app.inject({ method: 'POST', url: '/op', ...send });
      expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect(answer.json()).toMatchObject({ code, status: answer.statusCode });
      expect(answer.json().detail.length).toBeGreaterThan(20);
      const own = await app.inject({ method: 'POST', url: '/own', ...send });
      expect(own.headers['content-type']).toBe('application/json; charset=utf-8');
      expect(own.statusCode).toBe(answer.statusCode);
      await app.close();
    });
  }
});

it("other errors before the handler stay the app's, whatever was thrown", async () => {
  const app = await createApp();
  app.setErrorHandler((error, _request, reply) => reply.code(499).send({ own: String(error) }));
  const thrown: unknown[] = [new Error('first'), 'second'];
  for (const [i, what] of thrown.entries()) {
    app.post(
      `/op${i}`,
      {
        config: { durable: true },
        preHandler: async () => {
          throw what;
        },
      },
      async () => ({}),
    );
  }
  const answers = [];
  for (const i of [0, 1]) answers.push(await app.inject({ method: 'POST', url: `/op${i}` }));
  expect(answers.map(({ statusCode, body }) => [statusCode, body])).toEqual([
    [499, '{"own":"Error: first"}'],
    [499, '{"own":"second"}'],
  ]);
});

it('that is a stream is refused with advice', async () => {
  const app = await createApp();
  app.addContentTypeParser('text/csv', (_request, payload, done) => done(null, payload));
  app.post('/op', { config: { durable: true } }, async () => ({}));
  const headers = { 'content-type': 'text/csv' };
  const answer = await app.inject({ method: 'POST', url: '/op', headers, payload: 'a,b' });
  expect(answer.json()).toMatchObject({
    code: 'payload_not_json',
    status: 415,
    detail: expect.stringContaining('stream'),
  });
});

it('on a route of an intent is answered in the same way', async () => {
  const app = await createApp();
  app.post('/op', { config: { durable: true } }, async () => ({}));
  const url = `${await submit(app)}/cancel`;
  const answer = await app.inject({ method: 'POST', url, headers: json, payload: '{' });
  expect(answer.json()).toMatchObject({ code: 'body_unreadable' });
});
