import { describe, expect, it } from 'vitest';
import { durable } from '../src/index.ts';
import { createApp, run } from './app.ts';

const body = {
  type: 'object',
  required: ['width'],
  properties: { width: { type: 'integer' }, height: { type: 'integer', default: 50 } },
};

describe('a child of a durable route', () => {
  it('has a request of its route, with its schema applied', async () => {
    const app = await createApp();
    app.post(
      '/pictures/:id',
      { config: { durable: true }, schema: { body } },
      async ({ url, params, query, body: size }) => ({ url, params, query, size }),
    );
    app.post('/albums', { config: { durable: true } }, async (request) => {
      const { start } = durable(request);
      const options = { params: { id: 'a b' }, query: { page: '2' } };
      const child = await start('POST /pictures/:id', { width: '100' }, options);
      return child.result();
    });
    const answer = await run(app, { url: '/albums' });
    expect(answer.json()).toEqual({
      url: '/pictures/a%20b',
      params: { id: 'a b' },
      query: { page: '2' },
      size: { width: 100, height: 50 },
    });
  });

  it('fails when its body does not match that, and its parent with it', async () => {
    const app = await createApp();
    app.post('/pictures', { config: { durable: true }, schema: { body } }, async () => 'done');
    app.post('/albums', { config: { durable: true } }, async (request) => {
      const child = await durable(request).start('POST /pictures', { width: 'wide' });
      return child.result();
    });
    const answer = await run(app, { url: '/albums' });
    expect(answer.json()).toMatchObject({
      code: 'intent_failed',
      error: { code: 'child_failed', message: expect.stringContaining('schema of the route') },
    });
  });

  it('acts for whom its parent says, or is refused to act for nobody', async () => {
    const app = await createApp();
    app.decorateRequest('user', '');
    const config = { durable: { name: 'of-user', capture: ['user'] } };
    app.post('/of-user', { config }, async (request) => ({ user: Reflect.get(request, 'user') }));
    app.post('/parent', { config: { durable: true } }, async (request) => {
      const { start } = durable(request);
      const named = await start('of-user', {}, { captured: { user: 'ann' } });
      const unnamed = await start('of-user', {});
      const error = await unnamed.result().catch((thrown: Error) => thrown.message);
      return [await named.result(), error];
    });
    const [named, error] = (await run(app, { url: '/parent' })).json();
    expect(named).toEqual({ user: 'ann' });
    expect(error).toContain('{ captured: { user } }');
  });
});
