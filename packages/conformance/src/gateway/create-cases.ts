import { describe, expect, it } from 'vitest';
import { asJson, asList, nextMillisecond, RECEIVER } from './gateway-client.ts';
import type { GatewayHarness } from './gateway-harness.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const INTENT = {
  intent_type: 'report.generate.v1',
  to_agent: RECEIVER,
  payload: { quarter: 'Q3' },
};

/** Contract §4.1, §4.2, §4.3 and §6. */
export function createCases(harness: GatewayHarness): void {
  describe('create (§4.1)', () => {
    it('answers exactly four keys, and the intent has two events by then', async () => {
      const client = (await harness.serve()).client();
      const answer = await client.post('/v1/intents', INTENT);
      expect(answer).toEqual({
        ok: true,
        intent_id: expect.stringMatching(UUID),
        status: 'SUBMITTED',
        created_at: expect.any(String),
      });
      expect(await client.eventTypes(String(answer['intent_id']))).toEqual([
        'created',
        'submitted',
      ]);
    });

    it('takes camelCase names, and puts unknown members into a missing payload', async () => {
      const client = (await harness.serve()).client();
      const { intent_id: id } = await client.post('/v1/intents', {
        intentType: 'report.generate.v1',
        toAgent: RECEIVER,
        fromAgent: 'agent://a/b/c',
        report_type: 'sales',
        format: 'pdf',
      });
      expect(await client.intent(String(id))).toMatchObject({
        intent_type: 'report.generate.v1',
        to_agent: RECEIVER,
        from_agent: 'agent://a/b/c',
        payload: { report_type: 'sales', format: 'pdf' },
        correlation_id: expect.stringMatching(UUID),
      });
    });

    it('answers 422 to what is no intent', async () => {
      const client = (await harness.serve()).client();
      const wrong = [
        { ...INTENT, intent_type: 'Not A Type' },
        { ...INTENT, to_agent: undefined },
        { ...INTENT, to_agent: 'x'.repeat(384) },
        { ...INTENT, payload: [] },
        { ...INTENT, max_delivery_attempts: 0 },
        { ...INTENT, ttl_seconds: 59 },
        { ...INTENT, deadline_at: 'soon' },
        { ...INTENT, deadline_at: '2030-01-01T00:00:00Z', ttl_seconds: 60 },
        { ...INTENT, human_task: 'x' },
      ];
      for (const json of wrong) {
        const answer = await client.call('POST', '/v1/intents', { json });
        expect(answer.status, JSON.stringify(json).slice(0, 80)).toBe(422);
        expect(answer.json).toMatchObject({ error: { category: 'validation' } });
      }
    });
  });

  describe('read (§4.2)', () => {
    it('gives both names of the status, and leaves out what there is nothing of', async () => {
      const client = (await harness.serve()).client();
      const intent = await client.intent(await client.create({ payload: { a: 1 } }));
      expect(intent).toMatchObject({
        status: 'SUBMITTED',
        lifecycle_status: 'SUBMITTED',
        legacy_status: 'accepted',
        payload: { a: 1 },
      });
      expect(Object.values(intent)).not.toContain(null);
      expect(intent).not.toHaveProperty('reply_to');
      expect(intent).not.toHaveProperty('result');
    });

    it('mirrors members beside the intent only when asked to (§11.27)', async () => {
      const plain = (await harness.serve()).client();
      const id = await plain.create();
      expect(Object.keys(await plain.get(`/v1/intents/${id}`))).toEqual(['ok', 'intent']);
      const mirrored = (await harness.serve({ mirrorIntent: true })).client();
      const other = await mirrored.create({ payload: { a: 1 } });
      expect(await mirrored.get(`/v1/intents/${other}`)).toMatchObject({
        intent_id: other,
        payload: { a: 1 },
        lifecycle_status: 'SUBMITTED',
      });
    });

    it('lists newest first, by status', async () => {
      const client = (await harness.serve()).client();
      const first = await client.create();
      await nextMillisecond();
      const second = await client.create();
      await client.post(`/v1/intents/${first}/resolve`, { status: 'COMPLETED' });
      const ids = async (query: string) =>
        asList((await client.get(`/v1/intents${query}`))['intents']).map((one) => one['intent_id']);
      expect(await ids('?limit=50')).toEqual([second, first]);
      expect(await ids('?status=pending')).toEqual([second]);
      expect(await ids('?status=COMPLETED,FAILED')).toEqual([first]);
      expect(await ids('?limit=1')).toEqual([second]);
      expect((await client.call('GET', '/v1/intents?status=NOPE')).status).toBe(422);
    });
  });

  describe('events (§4.3)', () => {
    it('come by seq, strictly after since, with the keys of the protocol', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create();
      await client.post(`/v1/intents/${id}/resolve`, { status: 'COMPLETED', result: { url: 'x' } });
      expect((await client.events(id)).map((event) => event['seq'])).toEqual([1, 2, 3]);
      expect(await client.events(id, 2)).toHaveLength(1);
      expect(asList((await client.get(`/v1/intents/${id}/events`))['events'])).toHaveLength(3);
      const [event] = await client.events(id, 2);
      expect(event).toMatchObject({
        intent_id: id,
        seq: 3,
        event_type: 'intent.completed',
        status: 'COMPLETED',
        waiting_reason: null,
        handler: null,
        actor: expect.any(String),
        details: { result: { url: 'x' } },
      });
    });
  });

  describe('idempotency (§6)', () => {
    it('gives the same intent again, with another correlation id too, and 409 for another body', async () => {
      const client = (await harness.serve()).client();
      const headers = { 'Idempotency-Key': 'key-1' };
      const first = await client.post('/v1/intents', INTENT, { headers });
      const again = { ...INTENT, correlation_id: '018f0000-0000-4000-8000-000000000001' };
      expect(await client.post('/v1/intents', again, { headers })).toEqual(first);
      const json = { ...INTENT, payload: { quarter: 'Q4' } };
      const other = await client.call('POST', '/v1/intents', { json, headers });
      expect(other.status).toBe(409);
      expect(asJson(asJson(other.json)['error'])['code']).toBe('idempotency_conflict');
      expect(await client.create()).not.toBe(first['intent_id']);
    });

    it('makes one intent of many requests at once', async () => {
      const client = (await harness.serve()).client();
      const headers = { 'Idempotency-Key': 'key-2' };
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => client.post('/v1/intents', INTENT, { headers })),
      );
      expect(new Set(answers.map((answer) => answer['intent_id'])).size).toBe(1);
    });

    it('answers a repeated resolve and resume as it did, and 409 when the body differs', async () => {
      const client = (await harness.serve()).client();
      for (const call of ['resolve', 'resume'] as const) {
        const id = await client.create();
        const headers = { 'idempotency-key': `key-${call}` };
        const json = call === 'resolve' ? { status: 'COMPLETED' } : { action: 'complete', n: 1 };
        const path = `/v1/intents/${id}/${call}`;
        const first = await client.post(path, json, { headers });
        expect(await client.post(path, json, { headers })).toEqual(first);
        const other = await client.call('POST', path, { json: { ...json, n: 2 }, headers });
        expect(other.status).toBe(409);
        expect((await client.call('POST', path, { json })).status).toBe(409);
      }
    });
  });
}
