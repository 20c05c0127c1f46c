import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Request, Response } from 'express';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { appMaker, VERSIONS } from './app.ts';
import type { ExpressVersion } from './serve.ts';

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** Collects garbage between turns of the event loop until `isEnough`. */
async function collectUntil(isEnough: () => boolean): Promise<void> {
  if (typeof collect !== 'function') throw new Error('No garbage collector to call.');
  do {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  } while (!isEnough());
}

describe.each(VERSIONS)('a handler of %s', (_, express: ExpressVersion) => {
  const make = appMaker();

  function submit(handler: (req: Request, res: Response) => unknown) {
    const { app, api } = make(express);
    app.use('/op', express.json(), api.operation(handler, { name: 'op', retries: 0 }));
    const sent = request(app).post('/op').set('prefer', 'wait=30').send({});
    let answered = false;
    const answer = sent.then((response) => {
      answered = true;
      return response;
    });
    return { answer, isAnswered: () => answered };
  }

  it.each([
    ['async', async () => {}],
    ['sync', () => {}],
  ])('that is %s and forgets to answer has failed as soon as nothing can answer', async (_, h) => {
    const { answer, isAnswered } = submit(h);
    await collectUntil(isAnswered);
    const { status, body } = await answer;
    expect(status).toBe(500);
    expect(body.error).toMatchObject({ code: 'handler_silent', retryable: false });
    expect(body.error.message).toContain('res.json()');
  });

  it('that has returned may answer from a callback, however late', async () => {
    const called = Promise.withResolvers<() => void>();
    const { answer } = submit(async (_req, res) => {
      called.resolve(() => res.json({ late: true }));
    });
    const respond = await called.promise;
    let rounds = 0;
    await collectUntil(() => ++rounds > 5);
    respond();
    expect((await answer).body).toEqual({ late: true });
  });

  it('that works long without its response may still return the answer', async () => {
    const gate = Promise.withResolvers<object>();
    const called = Promise.withResolvers<void>();
    const { answer } = submit(() => {
      called.resolve();
      return gate.promise;
    });
    await called.promise;
    let rounds = 0;
    await collectUntil(() => ++rounds > 5);
    gate.resolve({ returned: true });
    expect((await answer).body).toEqual({ returned: true });
  });
});
