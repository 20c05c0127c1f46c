import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import request, { type Response as Answer } from 'supertest';
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

  it('is shown to observers while it is written, under its own content type', async () => {
    const { app, api } = make(express);
    const gate = Promise.withResolvers<void>();
    async function tokens(_req: Request, res: Response): Promise<void> {
      res.type('text/markdown');
      res.write('# One\n');
      await gate.promise;
      res.write('two');
      res.end('!');
    }
    app.use('/op', express.json(), api.operation(tokens));
    const { body } = await request(app).post('/op').send({});
    const output = request(app).get(`${body.links.self}/output`).buffer(true);
    const early = output.then((response) => response);
    await expect
      .poll(async () => (await request(app).get(body.links.self)).body.seq)
      .toBeGreaterThan(4);
    gate.resolve();
    const { text, headers } = await early;
    expect(text).toBe('# One\ntwo!');
    expect(headers['content-type']).toMatch(/^text\/markdown/);
    expect((await request(app).get(body.links.result)).text).toBe('# One\ntwo!');
  });

  it.each<[string, () => unknown, string, string]>([
    [
      'an async generator of text',
      async function* () {
        yield 'a';
        yield 'b';
      },
      'ab',
      'text/plain',
    ],
    [
      'one of data',
      async function* () {
        yield { n: 1 };
        yield { n: 2 };
      },
      '{"n":1}\n{"n":2}\n',
      'application/x-ndjson',
    ],
    ['a web stream', () => new Blob(['web']).stream(), 'web', 'application/octet-stream'],
  ])('can be %s', async (_name, source, text, type) => {
    const { app, api } = make(express);
    app.use(
      '/op',
      express.json(),
      api.operation(() => source(), { name: 'op' }),
    );
    const answer = await request(app)
      .post('/op')
      .set('prefer', 'wait=30')
      .send({})
      .buffer(true)
      .parse(asText);
    expect(answer.headers['content-type']).toContain(type);
    expect(answer.body).toBe(text);
    const output = await request(app)
      .get(`${answer.headers['location']}/output`)
      .buffer(true)
      .parse(asText);
    expect(output.body).toBe(text);
    expect(output.headers['content-type']).toContain(type);
  });

  it('that broke off in its source is a failed attempt, whose output is void', async () => {
    const { app, api } = make(express);
    let attempts = 0;
    async function* flaky(): AsyncGenerator<string> {
      attempts += 1;
      yield `attempt ${attempts}`;
      if (attempts === 1) throw new Error('Broke off.');
    }
    app.use(
      '/op',
      express.json(),
      api.operation(() => flaky(), { name: 'op' }),
    );
    const answer = await request(app).post('/op').set('prefer', 'wait=30').send({});
    expect(answer.text).toBe('attempt 2');
    const output = await request(app).get(`${answer.headers['location']}/output`);
    expect(output.text).toBe('attempt 2');
  });
});

function asText(response: Answer, done: (error: Error | null, text: unknown) => void): void {
  let text = '';
  response.on('data', (chunk) => (text += String(chunk)));
  response.on('end', () => done(null, text));
}
