import type { Express, Request, Response } from 'express';
import { durable, memoryStore } from '@durable-api/express';
import { durableApi as fastifyApi } from '@durable-api/fastify';
import fastify from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { gateway, gatewayPlugin } from '../src/index.ts';
import { handedOver, inMemory, startProcess, type Api } from './operations-bed.ts';

const AGENT = 'acme/production/report-service';
const ADDRESS = `agent://${AGENT}`;
/** So that an attempt that waits gives up its place at once. */
const ONE_PLACE = { concurrency: 1 };

describe('an operation whose work an agent does', () => {
  it('waits for it without a place, and answers what it hands in', async () => {
    const process = await startProcess({ api: ONE_PLACE, declare: handedOver(ADDRESS) });
    const path = await process.submit({ quarter: 'Q3' });
    const sent = await process.listen(AGENT);
    expect(sent).toMatchObject({
      intent_type: 'reports.generate.v1',
      to_agent: ADDRESS,
      from_agent: 'operation://reports.generate',
      payload: { quarter: 'Q3' },
    });
    await expect
      .poll(() => process.snapshot(path))
      .toMatchObject({ status: 'WAITING', waiting_reason: 'WAITING_FOR_AGENT' });
    const id = sent['intent_id'];
    expect(await process.axp(id)).toMatchObject({ parent_intent_id: path.split('/').at(-1) });
    await process.send('POST', `/v1/intents/${String(id)}/resume`, { report_url: 'https://r/3' });
    expect(await process.end(path)).toMatchObject({ status: 'COMPLETED' });
    const result = await process.send('GET', `${path}/result`);
    expect(result).toMatchObject({ status: 200, json: { report_url: 'https://r/3' } });
    expect(result.headers.get('content-type')).toMatch(/^application\/json/);
    const events = await process.events(path);
    const details = (type: string) =>
      events.find((event) => event['event_type'] === `intent.${type}`)?.['details'];
    expect(details('child_started')).toEqual({ intent_id: id, operation: ADDRESS });
    expect(details('waiting')).toMatchObject({ children: [{ intent_id: id, operation: ADDRESS }] });
    expect(details('child_ended')).toEqual({
      intent_id: id,
      operation: ADDRESS,
      status: 'COMPLETED',
    });
    expect(await process.axpIntents()).toHaveLength(1);
  });

  it('takes a result that is resolved, also one that is too large for events', async () => {
    const process = await startProcess({ api: ONE_PLACE, declare: handedOver(ADDRESS) });
    const path = await process.submit();
    const { intent_id: id } = await process.listen(AGENT);
    const result = { rows: 'r'.repeat(60_000) };
    await process.send('POST', `/v1/intents/${String(id)}/resolve`, {
      status: 'COMPLETED',
      result,
    });
    expect(await process.end(path)).toMatchObject({ status: 'COMPLETED' });
    expect((await process.send('GET', `${path}/result`)).json).toEqual(result);
  });

  it('fails for good as its agent says, in its words', async () => {
    const process = await startProcess({ declare: handedOver(ADDRESS) });
    const path = await process.submit();
    const { intent_id: id } = await process.listen(AGENT);
    const error = {
      action: 'fail',
      code: 'no_such_quarter',
      message: 'There is no fifth quarter.',
    };
    await process.send('POST', `/v1/intents/${String(id)}/resume`, error);
    expect(await process.end(path)).toMatchObject({
      status: 'FAILED',
      error: { code: 'no_such_quarter', message: error.message, retryable: false },
    });
    expect(await process.axpIntents()).toHaveLength(1);
  });

  it('is canceled with its agent’s intent, whichever is canceled first', async () => {
    const process = await startProcess({ api: ONE_PLACE, declare: handedOver(ADDRESS) });
    const first = await process.submit();
    const { intent_id: one, seq } = await process.listen(AGENT);
    await expect.poll(() => process.snapshot(first)).toMatchObject({ status: 'WAITING' });
    await process.send('DELETE', first);
    expect(await process.end(first)).toMatchObject({ status: 'CANCELED' });
    expect(await process.axp(one)).toMatchObject({
      status: 'CANCELED',
      reason: 'The intent that has started it ended.',
    });

    const second = await process.submit();
    const { intent_id: two } = await process.listen(AGENT, Number(seq));
    await process.send('POST', `/v1/intents/${String(two)}/resolve`, { status: 'CANCELED' });
    expect(await process.end(second)).toMatchObject({ status: 'CANCELED' });
    expect((await process.events(second)).at(-1)).toMatchObject({
      event_type: 'intent.canceled',
      details: { reason: 'The intent of the agent was canceled.' },
    });
  });

  it('has one deadline with it', async () => {
    const declare = handedOver(ADDRESS, { deadlineMs: 400 });
    const process = await startProcess({ api: ONE_PLACE, declare });
    const path = await process.submit();
    const { intent_id: id } = await process.listen(AGENT);
    expect(await process.end(path)).toMatchObject({ status: 'TIMED_OUT' });
    const { deadline_at: deadlineAt } = await process.snapshot(path);
    await expect
      .poll(() => process.axp(id))
      .toMatchObject({ status: 'TIMED_OUT', deadline_at: deadlineAt });
  });

  it('hears of the end after a restart, and has asked its agent once', async () => {
    const data = inMemory();
    const setup = { data, api: ONE_PLACE, declare: handedOver(ADDRESS) };
    const first = await startProcess(setup);
    const path = await first.submit();
    const { intent_id: id } = await first.listen(AGENT);
    await first.stop();
    const second = await startProcess(setup);
    await second.send('POST', `/v1/intents/${String(id)}/resume`, { done: true });
    expect(await second.end(path)).toMatchObject({ status: 'COMPLETED' });
    expect(await second.axpIntents()).toHaveLength(1);
  });

  it('gives it what its handler answers, and asks nobody when that refuses', async () => {
    const process = await startProcess({
      declare(api: Api, app: Express) {
        const handler = (req: Request<unknown, unknown, { q: number }>, res: Response) => {
          if (req.body.q > 4) res.status(404);
          return { quarter: `Q${req.body.q}` };
        };
        const agent = { address: ADDRESS, intentType: 'report.generate.v2' };
        app.use('/reports', api.operation(handler, { name: 'reports', agent }));
      },
    });
    const refused = await process.submit({ q: 5 });
    expect(await process.end(refused)).toMatchObject({ status: 'COMPLETED' });
    expect((await process.send('GET', `${refused}/result`)).status).toBe(404);
    await process.submit({ q: 3 });
    expect(await process.listen(AGENT)).toMatchObject({
      intent_type: 'report.generate.v2',
      payload: { quarter: 'Q3' },
    });
    expect(await process.axpIntents()).toHaveLength(1);
  });

  it('refuses what is too large for an agent, with 413', async () => {
    const process = await startProcess({ declare: handedOver(ADDRESS) });
    const { status, json } = await process.send('POST', '/reports', { a: 'a'.repeat(131_072) });
    expect({ status, code: json['code'] }).toEqual({ status: 413, code: 'payload_too_large' });
  });

  it('says that a gateway is missing, unless other processes do the work', async () => {
    const declare = handedOver(ADDRESS);
    const without = await startProcess({ gateway: null, declare });
    const { status, json } = await without.send('POST', '/reports', {});
    expect(status).toBe(500);
    expect(json).toMatchObject({ code: 'handler_unavailable' });
    expect(json['detail']).toContain('app.use(gateway(api');

    const data = inMemory();
    const web = await startProcess({ data, gateway: null, api: { worker: false }, declare });
    const path = await web.submit();
    const worker = await startProcess({ data, declare });
    const { intent_id: id } = await worker.listen(AGENT);
    await worker.send('POST', `/v1/intents/${String(id)}/resume`, { done: 1 });
    expect(await worker.end(path)).toMatchObject({ status: 'COMPLETED' });
  });

  it('is canceled by a process without a gateway, through one that has it', async () => {
    const data = inMemory();
    const declare = handedOver(ADDRESS);
    const worker = await startProcess({ data, api: ONE_PLACE, declare });
    const path = await worker.submit();
    const { intent_id: id } = await worker.listen(AGENT);
    await expect.poll(() => worker.snapshot(path)).toMatchObject({ status: 'WAITING' });
    const web = await startProcess({ data, gateway: null, api: { worker: false }, declare });
    expect((await web.send('DELETE', path)).status).toBe(202);
    expect(await worker.end(path)).toMatchObject({ status: 'CANCELED' });
    expect(await worker.axp(id)).toMatchObject({ status: 'CANCELED' });
  });
});

describe('a route of Fastify whose work an agent does', () => {
  it('gives it what its handler returns, checked by its schema', async () => {
    const app = fastify();
    onTestFinished(() => app.close());
    await app.register(fastifyApi, { store: memoryStore() });
    await app.register(gatewayPlugin(gateway(app.durableApi, { open: true })));
    const body = { type: 'object', properties: { quarter: { type: 'string' } } };
    const config = { durable: { agent: ADDRESS } };
    app.post('/reports', { config, schema: { body } }, async (request) => request.body);
    const origin = await app.listen({ host: '127.0.0.1', port: 0 });
    const send = (path: string, payload: object) =>
      fetch(origin + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(payload),
      });
    expect((await send('/reports', { quarter: [] })).status).toBe(400);
    const submitted = await send('/reports', { quarter: 'Q3' });
    expect(submitted.status).toBe(202);
    const stream = `${origin}/v1/agents/${AGENT}/intents/stream?since=0&wait_seconds=20`;
    const sent = await (await fetch(stream)).text();
    const [, id] = /"intent_id":"([^"]*)"/.exec(sent) ?? [];
    expect(sent).toContain('"payload":{"quarter":"Q3"}');
    expect(sent).toContain('"intent_type":"post.reports.v1"');
    await send(`/v1/intents/${id}/resume`, { rows: 3 });
    const result = `${origin}${submitted.headers.get('location')}/result`;
    await expect.poll(async () => (await fetch(result)).json()).toEqual({ rows: 3 });
  });
});

describe('a handler that starts an agent’s intent', () => {
  it('is given its result, or told why there is none', async () => {
    const process = await startProcess({
      declare(api: Api, app: Express) {
        const handler = async (req: Request) => {
          const { start } = durable(req);
          const good = await start<{ rows: number }>(ADDRESS, { n: 1 });
          const bad = await start({ address: `${ADDRESS}-2`, intentType: 'check.it.v1' }, [2]);
          const { rows } = await good.result();
          return bad.result().catch((error: unknown) => ({ rows, code: Object(error).code }));
        };
        app.use('/reports', api.operation(handler, { name: 'reports' }));
      },
    });
    const path = await process.submit();
    const one = await process.listen(AGENT);
    expect(one).toMatchObject({ intent_type: 'operation.reports.v1', payload: { n: 1 } });
    await process.send('POST', `/v1/intents/${String(one['intent_id'])}/resume`, { rows: 3 });
    const two = await process.listen(`${AGENT}-2`);
    expect(two).toMatchObject({ intent_type: 'check.it.v1', payload: { body: [2] } });
    await process.send('POST', `/v1/intents/${String(two['intent_id'])}/resume`, {
      action: 'fail',
    });
    await process.end(path);
    expect((await process.send('GET', `${path}/result`)).json).toEqual({
      rows: 3,
      code: 'child_failed',
    });
  });
});
