import { memoryData, type CommitRequest, type Store, type SubmitRequest } from '@durable-api/core';
import { durable, memoryStore, NonRetryableError } from '@durable-api/express';
import type { Express, Request } from 'express';
import { describe, expect, it } from 'vitest';
import type { GatewayOptions } from '../src/index.ts';
import { inMemory, startProcess, type Api, type OperationsProcess } from './operations-bed.ts';

const ADDRESS = 'agent://acme/production/reports';
const GATEWAY: GatewayOptions = { open: true, operations: { [ADDRESS]: 'reports' } };
const ENDS = ['COMPLETED', 'FAILED', 'CANCELED', 'TIMED_OUT'];

type Handler = (req: Request<unknown, unknown, Record<string, unknown>>) => unknown;

function handledBy(handler: Handler) {
  return (api: Api, app: Express): void => {
    app.use('/reports', api.operation(handler, { name: 'reports', backoff: { baseMs: 1 } }));
  };
}

const serve = (handler: Handler, setup = {}): Promise<OperationsProcess> =>
  startProcess({ gateway: GATEWAY, declare: handledBy(handler), ...setup });

async function send(process: OperationsProcess, payload: object, more = {}): Promise<string> {
  const intent = { intent_type: 'report.generate.v1', to_agent: ADDRESS, payload, ...more };
  const { json } = await process.send('POST', '/v1/intents', intent);
  return String(json['intent_id']);
}

async function endOf(process: OperationsProcess, id: string) {
  await expect
    .poll(async () => ENDS.includes(String((await process.axp(id))['status'])))
    .toBe(true);
  return process.axp(id);
}

/** The operation's intent of one of the gateway. */
async function ownIntent(process: OperationsProcess, id: string) {
  const [own] = (await process.api.intents.list({ operation: 'reports' })).filter(
    (one) => one.parentIntentId === id,
  );
  if (own === undefined) throw new Error('There is no intent of the operation.');
  return own;
}

/** Never ends by itself. */
const stuck: Handler = (req) =>
  new Promise((_, reject) => {
    const { signal } = durable(req);
    signal.addEventListener('abort', () => reject(new Error('aborted')));
  });

describe('an operation that an address is given to', () => {
  it('works on what is sent there, as on a request with the payload as its body', async () => {
    const process = await serve((req) => ({ rows: 3, got: req.body }));
    const id = await send(process, { quarter: 'Q3' });
    expect(await endOf(process, id)).toMatchObject({
      status: 'COMPLETED',
      result: { rows: 3, got: { quarter: 'Q3' } },
    });
    const events = await process.axpEvents(id);
    expect(events.filter((type) => type !== 'child_ended')).toEqual([
      'created',
      'submitted',
      'delivered',
      'in_progress',
      'completed',
    ]);
    expect(await ownIntent(process, id)).toMatchObject({ status: 'COMPLETED', owner: '' });
    expect(await process.api.intents.list({ operation: 'reports' })).toHaveLength(1);
  });

  it('is shown to be waited for while it works', async () => {
    const process = await serve(stuck);
    const id = await send(process, {});
    await expect.poll(() => process.axp(id)).toMatchObject({ status: 'IN_PROGRESS' });
    expect(await process.axp(id)).toMatchObject({
      pending_with: { type: 'internal', ref: 'operation://reports', name: 'reports' },
      delivery_attempt: 1,
    });
  });

  it.each([
    ['a list', [1, 2], { value: [1, 2] }],
    ['nothing', undefined, {}],
    ['bytes', Buffer.from('abc'), { base64: 'YWJj' }],
  ])('gives %s as an object', async (_, answered, result) => {
    const declare = (api: Api, app: Express): void => {
      app.use(
        '/reports',
        api.operation((_req: Request, res) => void res.send(answered), { name: 'reports' }),
      );
    };
    const process = await startProcess({ gateway: GATEWAY, declare });
    const id = await send(process, {});
    expect(await endOf(process, id)).toMatchObject({ status: 'COMPLETED', result });
  });

  it('fails it with its own failure, its refusal, and a result that is too large', async () => {
    const process = await startProcess({
      gateway: GATEWAY,
      declare: (api, app) => {
        app.use(
          '/reports',
          api.operation(
            (req: Request<unknown, unknown, { how: string }>, res) => {
              if (req.body.how === 'fail') throw new NonRetryableError('No more paper.');
              if (req.body.how === 'large') res.json({ a: 'a'.repeat(131_072) });
              else res.status(404).json({ no: 'report' });
            },
            { name: 'reports' },
          ),
        );
      },
    });
    const errorOf = async (how: string) => {
      const ended = await endOf(process, await send(process, { how }));
      expect(ended['status']).toBe('FAILED');
      return ended['error'];
    };
    expect(await errorOf('fail')).toEqual({ code: 'non_retryable', message: 'No more paper.' });
    expect(await errorOf('refuse')).toMatchObject({
      code: 'operation_refused',
      status: 404,
      answer: { no: 'report' },
    });
    expect(await errorOf('large')).toMatchObject({ code: 'result_too_large' });
  });

  it('is canceled with the intent, and cancels it', async () => {
    const process = await serve(stuck);
    const first = await send(process, {});
    await expect.poll(() => process.axp(first)).toMatchObject({ status: 'IN_PROGRESS' });
    await process.send('POST', `/v1/intents/${first}/resolve`, { status: 'CANCELED' });
    await expect
      .poll(() => ownIntent(process, first))
      .toMatchObject({ status: 'CANCELED', parentIntentId: first });

    const second = await send(process, {});
    await expect.poll(() => process.axp(second)).toMatchObject({ status: 'IN_PROGRESS' });
    await process.api.intents.cancel((await ownIntent(process, second)).id);
    expect(await endOf(process, second)).toMatchObject({
      status: 'CANCELED',
      reason: 'The operation was canceled.',
    });
  });

  it('has its deadline', async () => {
    const process = await serve(stuck);
    const deadline = new Date(Date.now() + 400).toISOString();
    const id = await send(process, {}, { deadline_at: deadline });
    expect(await endOf(process, id)).toMatchObject({ status: 'TIMED_OUT', reason: 'deadline' });
    const own = await ownIntent(process, id);
    expect(own.deadlineAt).toBe(Date.parse(deadline));
    await expect
      .poll(() => ownIntent(process, id))
      .toMatchObject({ status: expect.stringMatching(/TIMED_OUT|CANCELED/) });
  });

  it('ends it after a restart, also when it ends where no gateway is', async () => {
    const data = inMemory();
    const first = await serve(stuck, { data });
    const id = await send(first, { n: 1 });
    await expect.poll(() => first.axp(id)).toMatchObject({ status: 'IN_PROGRESS' });
    const web = await startProcess({
      data,
      gateway: GATEWAY,
      api: { worker: false },
      declare: handledBy(stuck),
    });
    const declare = handledBy((req) => ({ done: req.body['n'] }));
    await first.stop();
    const worker = await startProcess({ data, gateway: null, declare });
    await expect.poll(() => ownIntent(web, id)).toMatchObject({ status: 'COMPLETED' });
    await worker.stop();
    await web.stop();
    const last = await serve(() => null, { data });
    expect(await endOf(last, id)).toMatchObject({ status: 'COMPLETED', result: { done: 1 } });
    expect(await last.api.intents.list({ operation: 'reports' })).toHaveLength(1);
  });

  it('is given what the process that took it in could not hand on, or hear of', async () => {
    const data = memoryData();
    const broken = { submit: true, told: true };
    const open = (isDead: boolean): Store => {
      const store = memoryStore(data);
      if (!isDead) return store;
      const down = new Error('The process is gone.');
      return Object.assign(Object.create(store), {
        capabilities: store.capabilities,
        submit: async (batch: readonly SubmitRequest[]) => {
          if (broken.submit && batch.some(({ record }) => record.operation === 'reports'))
            throw down;
          return store.submit(batch);
        },
        commit: async (batch: readonly CommitRequest[]) => {
          const tells = batch.some(({ notes = [] }) =>
            notes.some(({ key }) => key.startsWith('ended:')),
          );
          if (broken.told && tells) throw down;
          return store.commit(batch);
        },
      });
    };
    const dying = (isDead: boolean) => ({ open: () => open(isDead), dispose: () => {} });
    const lost = await serve(() => ({ never: true }), { data: dying(true) });
    const notHandedOn = await send(lost, { n: 1 });
    expect(await lost.axp(notHandedOn)).toMatchObject({ status: 'DELIVERED' });
    await lost.stop();
    broken.submit = false;
    const gate = Promise.withResolvers<void>();
    const deaf = await serve((req) => gate.promise.then(() => ({ n: req.body['n'] })), {
      data: dying(true),
    });
    const notHeardOf = await send(deaf, { n: 2 });
    await expect.poll(() => deaf.axp(notHeardOf)).toMatchObject({ status: 'IN_PROGRESS' });
    gate.resolve();
    await expect.poll(() => ownIntent(deaf, notHeardOf)).toMatchObject({ status: 'COMPLETED' });
    await deaf.stop();
    const last = await serve((req) => ({ n: req.body['n'] }), { data: dying(false) });
    expect(await endOf(last, notHandedOn)).toMatchObject({ result: { n: 1 } });
    expect(await endOf(last, notHeardOf)).toMatchObject({ result: { n: 2 } });
    expect(await last.api.intents.list({ operation: 'reports' })).toHaveLength(2);
  });

  it('is given nothing while its address is cut off', async () => {
    const process = await serve(() => ({ rows: 3 }));
    await process.send('POST', '/v1/service-accounts', { name: ADDRESS });
    const { json } = await process.send('GET', '/v1/mesh/agents');
    const [{ address_id: address }] = Object(json['agents']);
    expect((await process.send('POST', `/v1/mesh/agents/${address}/kill`, {})).status).toBe(200);
    const id = await send(process, {});
    expect(await process.axpEvents(id)).toEqual(['created', 'submitted']);
    expect(await process.api.intents.list({ operation: 'reports' })).toEqual([]);
  });

  it('is the recipient of the steps of a scenario, and of what another operation hands over', async () => {
    const process = await startProcess({
      gateway: GATEWAY,
      declare(api, app) {
        const handler: Handler = (req) => ({ got: req.body['quarter'] ?? req.body['step_id'] });
        app.use('/reports', api.operation(handler, { name: 'reports' }));
        app.use('/orders', api.operation({ name: 'orders', agent: ADDRESS }));
      },
    });
    const scenario = {
      scenario_id: 'report',
      intent: { type: 'report.generate.v1', payload: {} },
      agents: [{ role: 'reports', address: ADDRESS }],
      workflow: { steps: [{ step_id: 'one', assigned_to: 'reports' }] },
    };
    const { json } = await process.send('POST', '/v1/scenarios/apply', scenario);
    expect(await endOf(process, String(json['intent_id']))).toMatchObject({
      status: 'COMPLETED',
      result: { got: 'one' },
    });
    const order = await process.send('POST', '/orders', { quarter: 'Q3' });
    const path = String(order.headers.get('location'));
    await process.end(path);
    expect((await process.send('GET', `${path}/result`)).json).toEqual({ got: 'Q3' });
  });

  it('may be given with whose its intents are, or by what it was declared with', async () => {
    const operations: Record<string, { operation: string; owner?: string }> = {};
    const options = { open: true, operations };
    // The operation is declared after the gateway: what counts is what the option had when it was made.
    operations[ADDRESS] = { operation: 'reports', owner: 'acme' };
    const process = await startProcess({
      gateway: options,
      declare: handledBy(() => ({ ok: 1 })),
    });
    const id = await send(process, {});
    await endOf(process, id);
    expect(await ownIntent(process, id)).toMatchObject({ owner: 'acme' });
  });

  it('must be there, under one address, and is missed before anything is stored', async () => {
    const make = (operations: unknown) =>
      startProcess({ gateway: { open: true, ...Object({ operations }) }, declare: () => {} });
    await expect(make({ 'agent://': 'x' })).rejects.toThrow('this is no address');
    await expect(make({ 'agent://a/b/c': 7 })).rejects.toThrow('the name of an operation');
    await expect(make({ 'agent://a/b/c': 'x', 'A/B/C': 'y' })).rejects.toThrow('is there twice');
    await expect(make([])).rejects.toThrow('operations must be operations by address');
    const process = await make({ [ADDRESS]: 'nobody' });
    const intent = { intent_type: 'a.b.v1', to_agent: ADDRESS, payload: {} };
    const { status, json } = await process.send('POST', '/v1/intents', intent);
    expect(status).toBe(500);
    expect(json['message']).toContain('none of this name is declared in this process');
    expect(await process.axpIntents()).toEqual([]);
  });
});
