import { describe, expect, it } from 'vitest';
import {
  OperationCanceledError,
  OperationFailedError,
  OperationTimedOutError,
} from '../src/index.ts';
import { AgentClient, type AgentClientOptions } from '../src/agent/index.ts';
import { FaultProxy } from './fault-proxy.ts';
import { ADMIN_KEY, GatewayServer, LOCKED } from './gateway-server.ts';

const AGENT = 'agent://acme/production/report-service';
const REPORT = { intentType: 'report.generate.v1', toAgent: AGENT, payload: { quarter: 'Q3' } };
const QUICK: AgentClientOptions = { backoff: { baseMs: 5, maxMs: 50 }, heartbeatMs: 1_000 };

const clientOf = ({ url }: { readonly url: string }, more: AgentClientOptions = {}): AgentClient =>
  new AgentClient(url, { ...QUICK, ...more });

describe('sendIntent', () => {
  it('resolves to the id of a stored intent', async () => {
    await using server = await GatewayServer.start();
    await using client = clientOf(server);
    const id = await client.sendIntent(REPORT);
    expect(await client.getIntent(id)).toMatchObject({
      intent_id: id,
      intent_type: 'report.generate.v1',
      to_agent: AGENT,
      payload: { quarter: 'Q3' },
      status: 'SUBMITTED',
    });
  });

  it('sends along what it was given', async () => {
    await using server = await GatewayServer.start();
    await using client = clientOf(server);
    const correlationId = '7b0a4d5e-8f59-4a8e-9f0b-6b1d3a0c2f11';
    const deadlineAt = new Date(Date.now() + 3_600_000);
    const id = await client.sendIntent({
      ...REPORT,
      fromAgent: 'agent://acme/production/caller',
      replyTo: 'agent://acme/production/inbox',
      correlationId,
      deadlineAt,
      maxDeliveryAttempts: 7,
      remindAfterMs: 60_000,
      remindIntervalMs: 30_000,
      maxReminders: 2,
      escalateTo: 'agent://acme/production/boss',
    });
    expect(await client.getIntent(id)).toMatchObject({
      from_agent: 'agent://acme/production/caller',
      reply_to: 'agent://acme/production/inbox',
      correlation_id: correlationId,
      deadline_at: deadlineAt.toISOString(),
      max_delivery_attempts: 7,
      remind_after_seconds: 60,
      remind_interval_seconds: 30,
      max_reminders: 2,
      escalate_to: 'agent://acme/production/boss',
    });
  });

  it('is one intent for one key, and refuses the key for another', async () => {
    await using server = await GatewayServer.start();
    await using client = clientOf(server);
    const idempotencyKey = 'my "key", of mine';
    const first = await client.sendIntent(REPORT, { idempotencyKey });
    expect(await client.sendIntent(REPORT, { idempotencyKey })).toBe(first);
    const other = client.sendIntent({ ...REPORT, payload: {} }, { idempotencyKey });
    await expect(other).rejects.toMatchObject({ name: 'DurableClientError', status: 409 });
    await expect(client.sendIntent(REPORT, { idempotencyKey: '' })).rejects.toMatchObject({
      code: 'usage',
    });
    expect(await client.sendIntent(REPORT)).not.toBe(first);
  });

  it('is one intent when its answers get lost', async () => {
    await using server = await GatewayServer.start();
    await using proxy = await FaultProxy.start(server.port);
    proxy.faults.push({ cutAfterBytes: 0 }, { cutAfterBytes: 5 }, { cutAfterBytes: 150 });
    await using client = clientOf(proxy);
    const id = await client.sendIntent(REPORT);
    expect(server.count(/^POST \/v1\/intents$/)).toBeGreaterThan(1);
    const list = await fetch(`${server.url}/v1/intents`);
    const { intents } = JSON.parse(await list.text());
    expect(intents.map((one: { intent_id: string }) => one.intent_id)).toEqual([id]);
  });

  it('rejects with the code and message of the gateway', async () => {
    await using server = await GatewayServer.start({ options: LOCKED });
    await using stranger = clientOf(server, { apiKey: 'a key that nobody has minted' });
    await expect(stranger.sendIntent(REPORT)).rejects.toMatchObject({
      name: 'DurableClientError',
      code: 'invalid_platform_api_key',
      status: 401,
      retryable: false,
      message: expect.stringMatching(/key/),
    });
    await using admin = clientOf(server, {
      apiKey: ADMIN_KEY,
      headers: () => ({ 'x-more': 'yes' }),
    });
    await expect(admin.sendIntent({ ...REPORT, intentType: '' })).rejects.toMatchObject({
      status: 422,
    });
    await expect(admin.sendIntent(REPORT)).resolves.toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('observe and waitFor', () => {
  it('follow an intent to its end, each event once', async () => {
    await using server = await GatewayServer.start();
    await using client = clientOf(server);
    const id = await client.sendIntent(REPORT);
    const ended = client.waitFor(id);
    const observed = Array.fromAsync(client.observe(id));
    await client.resolve(id, { status: 'COMPLETED', result: { pages: 12 } });
    expect(await ended).toMatchObject({ status: 'COMPLETED', result: { pages: 12 } });
    const events = await observed;
    expect(events.map(({ seq, event_type: type }) => [seq, type])).toEqual([
      [1, 'intent.created'],
      [2, 'intent.submitted'],
      [3, 'intent.completed'],
    ]);
    expect(events.at(-1)?.details).toEqual({ result: { pages: 12 } });
    expect(await client.waitFor(id)).toMatchObject({ result: { pages: 12 } });
  });

  it('begin after the seq that is known, and end where there is nothing more', async () => {
    await using server = await GatewayServer.start();
    await using client = clientOf(server);
    const id = await client.sendIntent(REPORT);
    await client.resolve(id, { status: 'COMPLETED' });
    const seqs = async (after: number): Promise<number[]> =>
      (await Array.fromAsync(client.observe(id, { after }))).map(({ seq }) => seq);
    expect(await seqs(1)).toEqual([2, 3]);
    expect(await seqs(3)).toEqual([]);
    expect(() => client.observe(id, { after: -1 })).toThrow(/whole number/);
  });

  it('throw by how else it ended', async () => {
    await using server = await GatewayServer.start();
    await using client = clientOf(server);
    const [failed, said, canceled, late] = await Promise.all([
      client.sendIntent(REPORT),
      client.sendIntent(REPORT),
      client.sendIntent(REPORT),
      client.sendIntent({ ...REPORT, deadlineAt: new Date(Date.now() + 300).toISOString() }),
    ]);
    const error = { code: 'no_paper', message: 'No paper.', tray: 2 };
    await client.resolve(failed, { status: 'FAILED', error });
    await client.resume(said, { action: 'fail', reason: 'No ink.' });
    await client.resolve(canceled, { status: 'CANCELED', reason: 'Not needed.' });
    const thrown = await client.waitFor(failed).catch((cause: unknown) => cause);
    expect(thrown).toBeInstanceOf(OperationFailedError);
    expect(thrown).toMatchObject({
      code: 'intent_failed',
      message: 'No paper.',
      failure: { code: 'no_paper', message: 'No paper.', retryable: false },
      cause: error,
    });
    await expect(client.waitFor(said)).rejects.toThrow('No ink.');
    await expect(client.waitFor(canceled)).rejects.toThrow(OperationCanceledError);
    await expect(client.waitFor(canceled)).rejects.toThrow('Not needed.');
    await expect(client.waitFor(late)).rejects.toThrow(OperationTimedOutError);
  });

  it('go on over restarts of the gateway', async () => {
    let server = await GatewayServer.start();
    await using client = clientOf(server);
    const id = await client.sendIntent(REPORT);
    const seqs: number[] = [];
    const observed = (async () => {
      for await (const { seq } of client.observe(id)) seqs.push(seq);
    })();
    await expect.poll(() => seqs).toEqual([1, 2]);
    await server.kill();
    server = await server.restart();
    await client.resume(id, { approve_current_step: true });
    await expect.poll(() => seqs).toEqual([1, 2, 3]);
    await server.kill();
    server = await server.restart();
    await client.resume(id, { pages: 12 });
    await observed;
    expect(seqs).toEqual([1, 2, 3, 4]);
    await server.stop();
  });

  it('miss and double nothing when their streams are cut at every offset', async () => {
    await using server = await GatewayServer.start();
    await using direct = clientOf(server);
    const id = await direct.sendIntent(REPORT);
    for (let i = 0; i < 5; i += 1) await direct.resume(id, { approve_current_step: true });
    await direct.resolve(id, { status: 'COMPLETED' });
    await using proxy = await FaultProxy.start(server.port);
    proxy.faults.push(...Array.from({ length: 150 }, (_, i) => ({ cutAfterBytes: i * 10 })));
    await using client = clientOf(proxy, { backoff: { baseMs: 0 }, retries: 200 });
    const events = await Array.fromAsync(client.observe(id));
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(proxy.connectionCount).toBeGreaterThan(10);
  });

  it('end with an AbortSignal, and reject what is unknown', async () => {
    await using server = await GatewayServer.start();
    await using client = clientOf(server);
    const id = await client.sendIntent(REPORT);
    const abort = new AbortController();
    const reason = new Error('Enough.');
    const waiting = client.waitFor(id, { signal: abort.signal });
    await expect.poll(() => server.count(/events\/stream/)).toBeGreaterThan(0);
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    const unknown = client.observe('0193aaaa-0000-7000-8000-000000000000');
    await expect(unknown.next()).rejects.toMatchObject({ code: 'intent_not_found', status: 404 });
  });

  it('do not ask in a hurry who has nothing to say, and says so at once', async () => {
    await using server = await GatewayServer.start({
      before: ({ url = '' }, res) => {
        if (!url.includes('/events/stream')) return false;
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.end('event: stream.timeout\ndata: {"ok":true,"next_seq":0}\n\n');
        return true;
      },
    });
    const paused = Promise.withResolvers<number>();
    await using client = clientOf(server, {
      backoff: { baseMs: 2 ** 40, maxMs: 2 ** 40 },
      onRetry: ({ failures }) => paused.resolve(failures),
    });
    const abort = new AbortController();
    const id = await client.sendIntent(REPORT);
    const waiting = client.waitFor(id, { signal: abort.signal });
    expect(await paused.promise).toBe(1);
    abort.abort(new Error('Enough.'));
    await expect(waiting).rejects.toThrow('Enough.');
    expect(server.count(/events\/stream/)).toBe(1);
  });

  it('reject what is no event stream', async () => {
    await using server = await GatewayServer.start({
      before: ({ url = '' }, res) => {
        if (!url.includes('/events/stream')) return false;
        res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Please log in</h1>');
        return true;
      },
    });
    await using client = clientOf(server, { retries: 1 });
    const id = await client.sendIntent(REPORT);
    await expect(client.observe(id).next()).rejects.toMatchObject({ code: 'response_invalid' });
  });
});
