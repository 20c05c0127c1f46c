import { DurableApi, memoryStore, type WebhookOptions } from '@durable-api/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { VirtualClock } from '../../core/test/support/virtual-clock.ts';
import { gateway, type GatewayOptions } from '../src/index.ts';
import { listenOn } from './listen-on.ts';

type Json = Record<string, unknown>;
const AGENT = 'agent://org/env/worker';
const MINUTE_MS = 60_000;

/** A gateway whose time passes only when a test says so, and a caller of it. */
async function open(options: GatewayOptions = {}, send?: WebhookOptions['send']) {
  // Loaded with the first delivery otherwise, which takes time that is not virtual.
  await import('../../core/src/webhooks/deliver.ts');
  const clock = new VirtualClock();
  const api = new DurableApi({
    store: memoryStore(),
    clock,
    webhooks: { secret: `whsec_${Buffer.alloc(32).toString('base64')}`, allow: ['*'], send },
  });
  const server = await listenOn(gateway(api, { open: true, ...options }), (graceMs) =>
    api.stop({ graceMs }),
  );
  const { baseUrl } = server;
  onTestFinished(() => clock.resolve(server.stop(0)));
  const call = async (method: string, path: string, json?: Json): Promise<Json> => {
    const body = json === undefined ? {} : { body: JSON.stringify(json) };
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(baseUrl + path, { method, headers, ...body });
    return JSON.parse(await answer.text());
  };
  const events = async (id: string): Promise<string> =>
    JSON.stringify(await call('GET', `/v1/intents/${id}/events`));
  const create = async (members: Json = {}): Promise<string> => {
    const json = { intent_type: 'a.b.v1', to_agent: AGENT, payload: {}, ...members };
    return String((await call('POST', '/v1/intents', json)).intent_id);
  };
  const listen = async (since: number): Promise<string> => {
    const path = `/v1/agents/${AGENT.slice(8)}/intents/stream?since=${since}&wait_seconds=1`;
    return clock.resolve(fetch(baseUrl + path).then((answer) => answer.text()));
  };
  return { clock, call, create, events, listen, ledger: api.ledger };
}

describe('a webhook that is not taken', () => {
  it('is sent again after 30 s, 2 min and 10 min, and then given up', async () => {
    const sentAt: number[] = [];
    const { clock, call, ledger } = await open({}, () => {
      sentAt.push(clock.now());
      return sentAt.length === 2
        ? Promise.reject(new Error('refused'))
        : Promise.resolve({ status: 500 });
    });
    // What it takes to send is loaded with the first, which takes time of the machine.
    const { signal } = new AbortController();
    await ledger.webhooks?.send({ url: 'https://x.example/', headers: {}, body: '', signal });
    sentAt.length = 0;
    const wish = { callback_url: 'https://x.example/', event_types: ['*'] };
    await call('POST', '/v1/webhooks/subscriptions', wish);
    await call('POST', '/v1/webhooks/events', { event_type: 'a.b', source: 's', payload: {} });
    await clock.advance(60 * MINUTE_MS);
    const gaps = sentAt.slice(1).map((at, i) => Math.round((at - (sentAt[i] ?? 0)) / 1_000));
    expect(gaps).toEqual([30, 120, 600]);
  });

  it('is not sent to who has revoked the subscription meanwhile', async () => {
    let sent = 0;
    const { clock, call } = await open({}, () => {
      sent += 1;
      return Promise.resolve({ status: 500 });
    });
    const wish = { callback_url: 'https://x.example/', event_types: ['*'] };
    const { subscription } = await call('POST', '/v1/webhooks/subscriptions', wish);
    await call('POST', '/v1/webhooks/events', { event_type: 'a.b', source: 's', payload: {} });
    await clock.until(() => sent === 1);
    await call('DELETE', `/v1/webhooks/subscriptions/${Object(subscription).subscription_id}`);
    await clock.advance(60 * MINUTE_MS);
    expect(sent).toBe(1);
  });
});

describe('the health of an agent', () => {
  it('is healthy for 90 s after a heartbeat, then degraded, and unreachable after 5 min', async () => {
    const { clock, call } = await open();
    await call('POST', '/v1/service-accounts', { name: AGENT });
    const query = `?owner_agent=${encodeURIComponent(AGENT)}`;
    await call('POST', `/v1/mesh/heartbeat${query}`);
    const health = async (): Promise<unknown> =>
      Object((await call('GET', `/v1/mesh/agents/${AGENT.slice(8)}`)).agent).health_status;
    expect(await health()).toBe('healthy');
    await clock.advance(100_000);
    expect(await health()).toBe('degraded');
    await clock.advance(3 * MINUTE_MS + 25_000);
    expect(await health()).toBe('unreachable');
    await clock.advance(36 * 60 * MINUTE_MS);
    expect(await health()).toBe('unreachable');
    await call('POST', `/v1/mesh/heartbeat${query}`);
    expect(await health()).toBe('healthy');
  });

  it('does not use up the deliveries of what is sent to it while it is killed', async () => {
    const { clock, call, create, events, listen } = await open({ redeliverMs: 1_000 });
    await call('POST', '/v1/service-accounts', { name: AGENT });
    const id = await create({ max_delivery_attempts: 2 });
    const frames = await listen(0);
    expect(frames).toContain('intent.delivered');
    await call('POST', `/v1/mesh/agents/${AGENT.slice(8)}/kill`);
    await clock.advance(60 * MINUTE_MS);
    expect(await events(id)).not.toContain('delivery_failed');
    await call('POST', `/v1/mesh/agents/${AGENT.slice(8)}/resume`);
    await clock.advance(2 * MINUTE_MS);
    expect(await events(id)).toContain('delivery_failed');
  });
});

describe('a thread', () => {
  it('is removed when its intent is', async () => {
    const { clock, call, create, ledger } = await open();
    const id = await create({ from_agent: 'agent://org/env/sender' });
    const { threads } = await call('GET', `/v1/inbox?owner_agent=${encodeURIComponent(AGENT)}`);
    const [{ thread_id: thread }] = Object(threads);
    await call('POST', `/v1/inbox/${thread}/reply`, { message: 'x' });
    const senders = async (): Promise<unknown> =>
      (await call('GET', '/v1/inbox?owner_agent=org/env/sender')).threads;
    expect(await senders()).toHaveLength(1);
    await call('POST', `/v1/intents/${id}/resolve`, { status: 'COMPLETED' });
    const weeksLater = async (): Promise<readonly unknown[]> => {
      await clock.advance(14 * 24 * 60 * MINUTE_MS);
      // What is old is removed when something else ends.
      await call('POST', `/v1/intents/${await create()}/resolve`, { status: 'COMPLETED' });
      await clock.advance(2 * 24 * 60 * MINUTE_MS);
      return ledger.list({ operation: 'axp.thread', limit: 10 });
    };
    expect(await weeksLater()).toMatchObject([{ status: 'COMPLETED' }, { status: 'COMPLETED' }]);
    expect(await senders()).toEqual([]);
    expect((await call('GET', `/v1/inbox/${thread}`)).ok).toBe(false);
    expect(await weeksLater()).toEqual([]);
  });
});
