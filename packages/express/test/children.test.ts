import type { Request, Response } from 'express';
import request from 'supertest';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { durable, type Child } from '../src/index.ts';
import { appMaker, VERSIONS } from './app.ts';
import type { ExpressVersion } from './serve.ts';

describe.each(VERSIONS)('a child of a handler of %s', (_, express: ExpressVersion) => {
  const make = appMaker();

  it('is started by its operation, whose types it has, and reads its request', async () => {
    const { app, api } = make(express);
    const resize = api.operation(async function resize(
      req: Request<{ id: string }, unknown, { width: number }>,
    ) {
      return {
        ...req.params,
        width: req.body.width,
        page: req.query['page'],
        json: req.get('content-type'),
      };
    });
    const album = api.operation(async function album(req: Request, res: Response) {
      const { start } = durable(req);
      const options = { params: { id: '7' }, query: { page: '2' } };
      const child = await start(resize, { width: 100 }, options);
      expectTypeOf(await child.result()).toMatchObjectType<{ id: string; width: number }>();
      // @ts-expect-error The operation takes another body.
      const wrong = (): unknown => start(resize, { height: 100 });
      expectTypeOf(await start<number>('resize')).toEqualTypeOf<Child<number>>();
      res.json({ picture: await child.result(), wrong: typeof wrong });
    });
    app.use('/pictures/:id', express.json(), resize);
    app.use('/albums', express.json(), album);
    const answer = await request(app).post('/albums').set('prefer', 'wait=10').send({});
    expect(answer.body).toEqual({
      picture: { id: '7', width: 100, page: '2', json: 'application/json' },
      wrong: 'function',
    });
  });

  it('acts for whom its parent says, or is refused to act for nobody', async () => {
    const { app, api } = make(express);
    const ofUser = api.operation((req: Request) => ({ user: Reflect.get(req, 'user') }), {
      name: 'ofUser',
      capture: (req) => ({ user: Reflect.get(req, 'user') }),
    });
    const parent = api.operation(
      async (req: Request) => {
        const { start } = durable(req);
        const captured = req.body.isNamed === true ? { user: 'ann' } : undefined;
        const child = await start(ofUser, undefined, { captured });
        return child.result();
      },
      { name: 'parent' },
    );
    app.use('/of-user', express.json(), ofUser);
    app.use('/parent', express.json(), parent);
    const ask = (body: object) => request(app).post('/parent').set('prefer', 'wait=10').send(body);
    expect((await ask({ isNamed: true })).body).toEqual({ user: 'ann' });
    const refused = await ask({});
    expect(refused.body).toMatchObject({ code: 'intent_failed', error: { code: 'child_failed' } });
    expect(refused.body.detail).toContain('start(operation, body, { captured: { user } })');
  });
});
