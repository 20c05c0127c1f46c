import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import { createApp } from './app.ts';

async function documented(
  declare: (app: FastifyInstance) => void,
): Promise<Record<string, Record<string, object>>> {
  const app = await createApp();
  await app.register(swagger, { openapi: { info: { title: 'Test', version: '1' } } });
  await app.register(async (scope) => declare(scope), { prefix: '/t/:tenant' });
  await app.ready();
  return JSON.parse(JSON.stringify(app.swagger())).paths;
}

const total = { type: 'object', properties: { total: { type: 'number' } } };

describe('@fastify/swagger documents', () => {
  it('the 202 of the submit beside the responses that the route has', async () => {
    const paths = await documented((app) => {
      const schema = { body: total, response: { 200: { description: 'The report.', ...total } } };
      app.post('/op', { config: { durable: true }, schema }, async () => ({ total: 1 }));
    });
    expect(paths['/t/{tenant}/op']?.['post']).toMatchObject({
      requestBody: { content: { 'application/json': { schema: total } } },
      responses: {
        200: { description: 'The report.', content: { 'application/json': { schema: total } } },
        202: {
          description: expect.stringContaining('Accepted'),
          headers: { Location: {}, 'Retry-After': {} },
          content: {
            'application/json': { schema: { properties: { intent_id: { type: 'string' } } } },
          },
        },
      },
    });
  });

  it('the routes of its intents: parameters, SSE, result, problems, tags and security', async () => {
    const paths = await documented((app) => {
      const params = { type: 'object', properties: { tenant: { type: 'string', minLength: 2 } } };
      const schema = { params, tags: ['reports'], response: { '2xx': total } };
      app.post('/op', { config: { durable: true }, schema }, async () => ({ total: 1 }));
    });
    const self = '/t/{tenant}/op/{intent_id}';
    expect(Object.keys(paths).toSorted()).toEqual([
      '/t/{tenant}/op',
      self,
      `${self}/cancel`,
      `${self}/events`,
      `${self}/output`,
      `${self}/result`,
      `${self}/retry`,
      `${self}/signals/{signal_name}`,
    ]);
    expect(Object.keys(paths[self] ?? {})).toEqual(['get', 'delete']);
    const parameters = [
      { in: 'path', name: 'tenant', required: true, schema: { type: 'string', minLength: 2 } },
      { in: 'path', name: 'intent_id', required: true, schema: { type: 'string', format: 'uuid' } },
    ];
    const problem = { 'application/problem+json': { schema: { properties: { code: {} } } } };
    expect(paths[self]?.['get']).toMatchObject({
      summary: 'Status of an intent of POST /t/:tenant/op',
      tags: ['reports'],
      parameters,
      responses: { 200: {}, '4XX': { content: problem } },
    });
    expect(paths[`${self}/events`]?.['get']).toMatchObject({
      parameters: expect.arrayContaining([
        expect.objectContaining({ in: 'query', name: 'since' }),
        expect.objectContaining({ in: 'query', name: 'wait_seconds' }),
      ]),
      responses: { 200: { content: { 'text/event-stream': {}, 'application/json': {} } } },
    });
    expect(paths[`${self}/result`]?.['get']).toMatchObject({
      responses: { '2XX': { content: { 'application/json': { schema: total } } } },
    });
    expect(Object.keys(paths[`${self}/cancel`] ?? {})).toEqual(['post']);
    expect(paths[`${self}/retry`]).toMatchObject({ post: { responses: { 202: {} } } });
  });

  it('nothing of a route that is hidden, and nothing that is not there to be used', async () => {
    const paths = await documented((app) => {
      const hidden: object = { hide: true };
      app.post('/op', { config: { durable: true }, schema: hidden }, async () => ({}));
    });
    expect(paths).toEqual({});
  });
});
