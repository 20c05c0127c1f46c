import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { appMaker, VERSIONS } from './app.ts';
import type { ExpressVersion } from './serve.ts';

describe.each(VERSIONS)('the response of a handler of %s', (_, express: ExpressVersion) => {
  const make = appMaker();

  it('that grows beyond the limit is stopped, and so is what feeds it', async () => {
    const { app, api } = make(express, { limits: { maxResultBytes: 10_000 } });
    const endless = Readable.from(
      (function* () {
        for (;;) yield 'x'.repeat(1_000);
      })(),
    );
    const closed = new Promise((resolve) => endless.on('close', resolve));
    function tooMuch(_req: Request, res: Response): Promise<void> {
      return pipeline(endless, res);
    }
    app.use('/op', express.json(), api.operation(tooMuch, { retries: 0 }));
    const response = await request(app).post('/op').set('prefer', 'wait=30').send({});
    expect(response.body.error).toMatchObject({ code: 'result_too_large', retryable: false });
    await closed;
  });

  it('is closed by a cancel, like that of a client who left', async () => {
    const { app, api } = make(express);
    const called = Promise.withResolvers<void>();
    const closed: string[] = [];
    async function untilClosed(req: Request, res: Response): Promise<void> {
      req.on('close', () => closed.push('req'));
      const close = once(res, 'close');
      called.resolve();
      await close;
      closed.push('res');
    }
    app.use('/op', express.json(), api.operation(untilClosed));
    const { body } = await request(app).post('/op').send({});
    await called.promise;
    expect(closed, 'a request that was read is no reason').toEqual([]);
    await request(app).delete(body.links.self);
    const ended = await request(app).get(body.links.self).set('prefer', 'wait=30');
    expect(ended.body.status).toBe('CANCELED');
    expect(closed.toSorted()).toEqual(['req', 'res']);
  });
});
