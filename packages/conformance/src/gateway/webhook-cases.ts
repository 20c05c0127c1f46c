import { createHmac } from 'node:crypto';
import type { WebhookOptions } from '@durable-api/core';
import { describe, expect, it } from 'vitest';
import { asJson, asList, RECEIVER, type Json } from './gateway-client.ts';
import type { GatewayHarness } from './gateway-harness.ts';

const SUBSCRIPTIONS = '/v1/webhooks/subscriptions';
const SECRET = 'a secret of 16 characters and more';
const OTHER = 'agent://conformance/production/other';

interface Told {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly event: Json;
}

/** A receiver of webhooks, which answers what it is told to, and 204 after that. */
class Receiver {
  readonly told: Told[] = [];
  /** Webhooks that come here. */
  readonly webhooks: WebhookOptions = {
    secret: `whsec_${Buffer.alloc(32).toString('base64')}`,
    allow: ['*.example'],
    send: ({ url, headers, body }) => {
      this.told.push({ url, headers, body, event: asJson(JSON.parse(body)) });
      return Promise.resolve({ status: 204 });
    },
  };

  /** The types of what was told to a URL. */
  types(url: string): unknown[] {
    return this.told.filter((one) => one.url === url).map(({ event }) => event['event_type']);
  }
}

/** Contract §8: webhook subscriptions and events. */
export function webhookCases(harness: GatewayHarness): void {
  describe('webhooks (§8)', () => {
    const url = 'https://receiver.example/hook';
    const wish = { callback_url: url, event_types: ['inbox.thread_created'] };

    it('subscriptions are made, listed and revoked, whatever owner the revocation names', async () => {
      const gateway = await harness.serve();
      const client = gateway.client();
      const { subscription } = await client.post(SUBSCRIPTIONS, { ...wish, secret: SECRET });
      expect(subscription).toEqual({
        subscription_id: expect.any(String),
        owner_agent: 'agent://default/default/admin',
        callback_url: url,
        event_types: ['inbox.thread_created'],
        active: true,
        description: null,
        created_at: expect.any(String),
        updated_at: expect.any(String),
        revoked_at: null,
        secret_hint: '…more',
      });
      await gateway.stop();
      const later = (await harness.serve({ data: gateway.data })).client();
      expect((await later.get(SUBSCRIPTIONS))['subscriptions']).toEqual([subscription]);
      const elsewhere = `${SUBSCRIPTIONS}?owner_agent=${encodeURIComponent(OTHER)}`;
      expect((await later.get(elsewhere))['subscriptions']).toEqual([]);
      const id = String(asJson(subscription)['subscription_id']);
      const query = 'owner_agent=agent://conformance/owner';
      const gone = await later.call('DELETE', `${SUBSCRIPTIONS}/${id}?${query}`);
      expect(gone.json).toEqual({ ok: true, subscription_id: id, revoked_at: expect.any(String) });
      expect((await later.get(SUBSCRIPTIONS))['subscriptions']).toEqual([]);
      expect((await later.call('DELETE', `${SUBSCRIPTIONS}/${id}`)).status).toBe(404);
    });

    it('subscriptions that are none are answered 422', async () => {
      const client = (await harness.serve()).client();
      for (const change of [
        { callback_url: 'ftp://x.example/' },
        { callback_url: 'https://user:pw@x.example/' },
        { event_types: [] },
        { event_types: ['Not An Event'] },
        { event_types: Array(33).fill('intent.created') },
        { secret: 'short' },
        { active: 1 },
      ]) {
        const answer = await client.call('POST', SUBSCRIPTIONS, { json: { ...wish, ...change } });
        expect(answer.status, JSON.stringify(change)).toBe(422);
      }
      const event = { event_type: 'x', source: 's', payload: {} };
      expect((await client.call('POST', '/v1/webhooks/events', { json: event })).status).toBe(422);
    });

    it('an event is accepted, told with its signature, and told again when it is replayed', async () => {
      const receiver = new Receiver();
      const client = (await harness.serve({ webhooks: receiver.webhooks })).client();
      await client.post(SUBSCRIPTIONS, { ...wish, event_types: ['invite.*'], secret: SECRET });
      await client.post(SUBSCRIPTIONS, { ...wish, event_types: ['*'], active: false });
      const event = { event_type: 'invite.accepted', source: 'test', payload: { a: 'ü' } };
      const accepted = await client.post('/v1/webhooks/events', event);
      expect(accepted).toEqual({
        ok: true,
        accepted_at: expect.any(String),
        event_type: 'invite.accepted',
        source: 'test',
        owner_agent: 'agent://default/default/admin',
        event_id: expect.any(String),
        queued_deliveries: 1,
        processed_deliveries: 0,
        delivered: 0,
        pending: 1,
        dead_lettered: 0,
      });
      await expect.poll(() => receiver.told.length).toBe(1);
      const [{ headers, body, event: told } = { headers: {}, body: '', event: {} }] = receiver.told;
      const hmac = createHmac('sha256', SECRET).update(body).digest('hex');
      expect(headers).toMatchObject({
        'content-type': 'application/json',
        'x-axme-signature': `sha256=${hmac}`,
      });
      expect(told).toMatchObject({ ...event, event_id: accepted['event_id'] });
      const replay = `/v1/webhooks/events/${String(accepted['event_id'])}/replay`;
      const { accepted_at: _at, ...same } = accepted;
      const replayed = { ...same, replayed_at: expect.any(String) };
      expect((await client.call('POST', replay)).json).toEqual(replayed);
      await expect.poll(() => receiver.told.length).toBe(2);
      expect(receiver.told[1]?.body.replace(/"occurred_at":"[^"]*"/, '')).toBe(
        body.replace(/"occurred_at":"[^"]*"/, ''),
      );
      const unknown = '/v1/webhooks/events/018f0000-0000-4000-8000-000000000000/replay';
      expect((await client.call('POST', unknown)).status).toBe(404);
    });

    it('what happens to intents and threads is told to whom it concerns', async () => {
      const receiver = new Receiver();
      const gateway = await harness.serve({ webhooks: receiver.webhooks });
      const [client, agent] = [gateway.client(), await gateway.agent(RECEIVER)];
      const other = await gateway.agent(OTHER);
      const all = 'https://all.example/';
      const own = 'https://own.example/';
      const foreign = 'https://foreign.example/';
      await client.post(SUBSCRIPTIONS, { callback_url: all, event_types: ['intent.completed'] });
      await agent.post(SUBSCRIPTIONS, { callback_url: own, event_types: ['inbox.*'] });
      await other.post(SUBSCRIPTIONS, { callback_url: foreign, event_types: ['*'] });
      const id = await client.create({ reply_to: 'agent://conformance/reply-target' });
      const [thread] = asList((await agent.get('/v1/inbox'))['threads']);
      await agent.post(`/v1/inbox/${String(thread?.['thread_id'])}/reply`, { message: 'x' });
      await client.post(`/v1/intents/${id}/resolve`, { status: 'COMPLETED' });
      await expect.poll(() => receiver.types(all)).toEqual(['intent.completed']);
      await expect
        .poll(() => receiver.types(own).toSorted((a, b) => (String(a) < String(b) ? -1 : 1)))
        .toEqual(['inbox.thread_created', 'inbox.thread_updated', 'inbox.thread_updated']);
      expect(receiver.types(foreign)).toEqual([]);
      const [told] = receiver.told.filter((one) => one.url === all);
      expect(told?.event['payload']).toMatchObject({ intent_id: id, status: 'COMPLETED' });
      expect(told?.headers).not.toHaveProperty('x-axme-signature');
      const replay = `/v1/webhooks/events/${String(told?.event['event_id'])}/replay`;
      expect(await client.post(replay)).toMatchObject({ event_type: 'intent.completed' });
    });

    it('an agent has its own subscriptions only, and acts for nobody else', async () => {
      const gateway = await harness.serve();
      const [one, other] = [await gateway.agent(RECEIVER), await gateway.agent(OTHER)];
      const { subscription } = await one.post(SUBSCRIPTIONS, wish);
      expect(subscription).toMatchObject({ owner_agent: RECEIVER });
      expect((await other.get(SUBSCRIPTIONS))['subscriptions']).toEqual([]);
      const id = String(asJson(subscription)['subscription_id']);
      expect((await other.call('DELETE', `${SUBSCRIPTIONS}/${id}`)).status).toBe(404);
      const json = { ...wish, owner_agent: RECEIVER };
      expect((await other.call('POST', SUBSCRIPTIONS, { json })).status).toBe(403);
      expect((await one.call('DELETE', `${SUBSCRIPTIONS}/${id}`)).status).toBe(200);
    });

    it('go only where the webhooks of the API may go', async () => {
      const { webhooks } = new Receiver();
      const client = (await harness.serve({ webhooks })).client();
      for (const callback of ['http://a.example/', 'https://a.test/', 'https://127.0.0.1/']) {
        const json = { ...wish, callback_url: callback };
        const answer = await client.call('POST', SUBSCRIPTIONS, { json });
        expect(answer.status, callback).toBe(422);
        expect(answer.json).toMatchObject({ error: { code: 'webhook_invalid' } });
      }
    });

    it('are kept but tell nothing where webhooks are off, and are made once per key', async () => {
      const client = (await harness.serve()).client();
      const headers = { 'idempotency-key': 'subscribe-1' };
      const first = await client.post(SUBSCRIPTIONS, wish, { headers });
      expect(await client.post(SUBSCRIPTIONS, wish, { headers })).toEqual(first);
      expect(asList((await client.get(SUBSCRIPTIONS))['subscriptions'])).toHaveLength(1);
      const event = { event_type: 'inbox.thread_created', source: 'test', payload: {} };
      expect(await client.post('/v1/webhooks/events', event)).toMatchObject({
        queued_deliveries: 0,
        pending: 0,
      });
      const { capabilities } = await client.get('/v1/capabilities');
      expect(capabilities).not.toContain('webhooks');
    });
  });
}
