import { memoryData, memoryStore, type Store } from '@durable-api/core';
import { Router, type Application, type Request, type Response } from 'express';
import request from 'supertest';
import { afterEach, describe, expect, it } from 'vitest';
import { durable, durableApi, type ExpressDurableApi } from '../src/index.ts';
import { VERSIONS } from './app.ts';
import type { ExpressVersion } from './serve.ts';

type Handler = (req: Request, res: Response) => unknown;

const apis: ExpressDurableApi[] = [];
afterEach(async () => {
  await Promise.all(apis.splice(0).map((api) => api.stop({ graceMs: 0 })));
});

/** A process: `mount` puts the operation of `handler` into its app. */
function start(
  express: ExpressVersion,
  store: Store,
  handler: Handler,
  mount: (app: Application, operation: ReturnType<ExpressDurableApi['operation']>) => void,
): { app: Application; api: ExpressDurableApi } {
  const api = durableApi({ store, random: () => 0 });
  apis.push(api);
  const app = express();
  app.locals['greeting'] = 'hello';
  mount(app, api.operation(handler, { name: 'op', retries: 0 }));
  return { app, api };
}

/** Submits to a process whose handler never ends, and stops it: what is left is the next one's. */
async function interrupted(express: ExpressVersion) {
  const data = memoryData();
  const called = Promise.withResolvers<void>();
  const endless: Handler = () => called.resolve();
  const { app, api } = start(express, memoryStore(data), endless, (app, op) => {
    app.use('/op', express.json(), op);
  });
  const { body } = await request(app).post('/op').send({ quarter: 'Q3' });
  await called.promise;
  await api.stop({ graceMs: 0 });
  return { store: memoryStore(data), self: String(body.links.self) };
}

describe.each(VERSIONS)('after a restart, an operation of %s', (_, express: ExpressVersion) => {
  it('mounted on the app goes on at once, with the app, before any request', async () => {
    const { store } = await interrupted(express);
    const done = Promise.withResolvers<unknown>();
    const handler: Handler = (req, res) => {
      done.resolve(req.app.locals['greeting']);
      res.json({});
    };
    start(express, store, handler, (app, op) => app.use('/op', express.json(), op));
    expect(await done.promise).toBe('hello');
  });

  it('mounted on a router goes on at once too, when its handler does not need the app', async () => {
    const { store } = await interrupted(express);
    const done = Promise.withResolvers<unknown>();
    const handler: Handler = (req, res) => {
      res.json({ quarter: req.body.quarter });
      done.resolve(req.body);
    };
    const { app } = start(express, store, handler, (app, op) => {
      app.use(Router().use('/op', express.json(), op));
    });
    expect(app.locals['greeting']).toBe('hello');
    expect(await done.promise).toEqual({ quarter: 'Q3' });
  });

  it('mounted on a router waits for the app when its handler looks for it', async () => {
    const { store, self } = await interrupted(express);
    let calls = 0;
    const looked = Promise.withResolvers<void>();
    const handler: Handler = (req, res) => {
      calls += 1;
      looked.resolve();
      res.json({ greeting: req.app.locals['greeting'] });
    };
    const { app } = start(express, store, handler, (app, op) => {
      app.use(Router().use('/op', express.json(), op));
    });
    await looked.promise;
    const ended = await request(app).get(self).set('prefer', 'wait=30');
    expect(ended.body).toMatchObject({ status: 'COMPLETED', attempt: 2 });
    const result = await request(app).get(`${self}/result`);
    expect(result.body).toEqual({ greeting: 'hello' });
    expect(calls).toBe(2);
  });

  it('has its steps run once, though the handler is called again with the app', async () => {
    const { store, self } = await interrupted(express);
    const ran: string[] = [];
    const looked = Promise.withResolvers<void>();
    const handler: Handler = async (req, res) => {
      const one = await durable(req).step('one', () => (ran.push('one'), 1));
      looked.resolve();
      res.json({ one, greeting: req.app.locals['greeting'] });
    };
    const { app } = start(express, store, handler, (app, op) => {
      app.use(Router().use('/op', express.json(), op));
    });
    await looked.promise;
    await request(app).get(self).set('prefer', 'wait=30');
    const result = await request(app).get(`${self}/result`);
    expect(result.body).toEqual({ one: 1, greeting: 'hello' });
    expect(ran).toEqual(['one']);
  });
});
