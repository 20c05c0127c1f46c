import { describe, expect, it } from 'vitest';
import { asJson, asList, RECEIVER } from './gateway-client.ts';
import type { GatewayHarness } from './gateway-harness.ts';

const INTENT = { intent_type: 'report.generate.v1', to_agent: RECEIVER, payload: { a: 1 } };

/** What the contract asks for beside its main rows: odd requests that clients send, limits, what is left out. */
export function quirkCases(harness: GatewayHarness): void {
  describe('quirks of requests', () => {
    it('takes an intent type without .vN, and members that it does not know (§4.1)', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create({ ...INTENT, intent_type: 'report.generate', extra: 1 });
      expect(await client.intent(id)).toMatchObject({
        intent_type: 'report.generate',
        payload: { a: 1 },
      });
      expect(await client.intent(id)).not.toHaveProperty('extra');
    });

    it('has ttl_seconds as a deadline (§4.1)', async () => {
      const client = (await harness.serve()).client();
      const intent = await client.intent(await client.create({ ...INTENT, ttl_seconds: 60 }));
      const { deadline_at: deadlineAt, created_at: createdAt } = intent;
      expect(Date.parse(String(deadlineAt)) - Date.parse(String(createdAt))).toBeCloseTo(
        60_000,
        -2,
      );
    });

    it('takes addresses of other schemes as they are (§3)', async () => {
      const client = (await harness.serve()).client();
      const people = { from_agent: 'initiator://Web/1', to_agent: 'user://Ann@Example.com' };
      const id = await client.create({ ...INTENT, ...people, reply_to: 'user://Ann@Example.com' });
      expect(await client.intent(id)).toMatchObject({
        ...people,
        reply_to: 'user://Ann@Example.com',
      });
      expect((await client.intent(id))['from_agent']).toBe('initiator://Web/1');
    });

    it('takes owner_agent of the creator, of the agent, or none, on resume (§4.6)', async () => {
      const client = (await harness.serve()).client();
      for (const owner of ['agent://a/b/creator', RECEIVER, null]) {
        const id = await client.create({ ...INTENT, from_agent: 'agent://a/b/creator' });
        const query = owner === null ? '' : `?owner_agent=${encodeURIComponent(owner)}`;
        const body = { action: 'complete', report_url: 'x' };
        const answer = await client.post(`/v1/intents/${id}/resume${query}`, body);
        expect(answer).toMatchObject({ intent: { status: 'COMPLETED' } });
      }
    });

    it('lists the intents of steps too (§4.2)', async () => {
      const client = (await harness.serve()).client();
      const { intent_id: parent } = await client.post('/v1/scenarios/apply', {
        scenario_id: 'one-step',
        workflow: { steps: [{ step_id: 'do', assigned_to: RECEIVER }] },
        intent: { type: 'report.generate.v1' },
      });
      const listed = asList((await client.get('/v1/intents?limit=50'))['intents']);
      expect(listed.map((one) => one['parent_intent_id'])).toContain(parent);
      expect(listed.map((one) => one['intent_id'])).toContain(parent);
    });

    it('says whom an intent is pending with in three members (§4.2)', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create();
      await client.listen();
      expect((await client.intent(id))['pending_with']).toEqual({
        type: 'agent',
        ref: RECEIVER,
        name: 'receiver',
      });
    });

    it('answers 404, by which clients fall back to polling, for the stream of no intent (§2)', async () => {
      const client = (await harness.serve()).client();
      const id = '018f0000-0000-7000-8000-000000000000';
      const answer = await client.call('GET', `/v1/intents/${id}/events/stream?since=0`);
      expect(answer.status).toBe(404);
    });

    it('repeats controls and policy by their key as they were answered (§6)', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create();
      for (const [call, json] of [
        ['controls', { controls_patch: { timeout_seconds: 5, unknown: true } }],
        ['policy', { grants_patch: {}, envelope_patch: { max_retry_count: 1 } }],
      ] as const) {
        const headers = { 'idempotency-key': `key-${call}` };
        const path = `/v1/intents/${id}/${call}`;
        const first = await client.post(path, json, { headers });
        expect(await client.post(path, json, { headers })).toEqual(first);
        expect((await client.call('POST', path, { json: {}, headers })).status).toBeGreaterThan(
          399,
        );
      }
      expect(await client.intent(id)).toMatchObject({
        policy_generation: 3,
        controls: { unknown: true },
      });
      await client.post(`/v1/intents/${id}/resolve`, { status: 'COMPLETED' });
      for (const call of ['controls', 'policy', 'resume']) {
        const json = { controls_patch: {} };
        expect((await client.call('POST', `/v1/intents/${id}/${call}`, { json })).status).toBe(409);
      }
    });

    it('answers 200 with a body of JSON to every call that succeeds, and needs no client tag (§1)', async () => {
      const gateway = await harness.serve();
      const client = gateway.client();
      const agent = await gateway.agent(RECEIVER);
      const id = await client.create();
      const { service_accounts: accounts } = await client.get('/v1/service-accounts');
      const account = String(asList(accounts)[0]?.['service_account_id']);
      for (const [caller, method, path] of [
        [client, 'POST', `/v1/intents/${id}/controls`],
        [agent, 'POST', '/v1/mesh/heartbeat'],
        [client, 'DELETE', `/v1/service-accounts/${account}`],
      ] as const) {
        const json = { controls_patch: {} };
        const answer = await caller.call(method, path, { json });
        expect(answer.status).toBe(200);
        expect(answer.json).toMatchObject({ ok: true });
      }
    });
  });

  describe('limits (§12)', () => {
    it('a line of a stream is shorter than 64 KiB, however large payload and result are', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create({ ...INTENT, payload: { text: 'p'.repeat(130_000) } });
      const frames = [...(await client.listen())];
      const text = 'r'.repeat(130_000);
      await client.post(`/v1/intents/${id}/resume`, { action: 'complete', text });
      frames.push(...(await client.stream(`/v1/intents/${id}/events/stream?since=0`)).frames);
      expect(frames.length).toBeGreaterThan(4);
      for (const { data } of frames) expect(JSON.stringify(data).length).toBeLessThan(65_536);
      expect(asJson((await client.intent(id))['result'])['text']).toBe(text);
    });

    it('keys, reasons and bundles have the lengths of the protocol', async () => {
      const client = (await harness.serve()).client();
      const long = { headers: { 'idempotency-key': 'k'.repeat(256) }, json: INTENT };
      expect((await client.call('POST', '/v1/intents', long)).status).toBe(422);
      const key = { headers: { 'idempotency-key': 'k'.repeat(255) }, json: INTENT };
      expect((await client.call('POST', '/v1/intents', key)).status).toBe(200);
      const id = await client.create();
      const resolve = (reason: string) =>
        client.call('POST', `/v1/intents/${id}/resolve`, { json: { status: 'CANCELED', reason } });
      expect((await resolve('x'.repeat(2_001))).status).toBe(422);
      expect((await resolve('x'.repeat(2_000))).status).toBe(200);
      const many = (count: number, member: object): object[] => Array(count).fill(member);
      const bundle = { scenario_id: 's', intent: { type: 'a.b.v1' } };
      for (const parts of [
        { agents: many(51, { role: 'r', address: RECEIVER }) },
        { humans: many(21, { role: 'h' }) },
        { workflow: { steps: many(101, { step_id: 'x' }) } },
      ]) {
        const { valid } = await client.post('/v1/scenarios/validate', { ...bundle, ...parts });
        expect(valid, Object.keys(parts)[0]).toBe(false);
      }
    });

    it('too many streams are answered 429, with Retry-After in whole seconds (§1)', async () => {
      const client = (await harness.serve({ maxStreams: 1 })).client();
      const id = await client.create();
      const first = await client.open(`/v1/intents/${id}/events/stream?since=2&wait_seconds=30`);
      expect(first.status).toBe(200);
      const refused = await client.call('GET', `/v1/intents/${id}/events/stream`);
      expect(refused.status).toBe(429);
      expect(refused.headers['retry-after']).toMatch(/^\d+$/);
      expect(refused.json).toMatchObject({ error: { retryable: true } });
    });
  });

  describe('what is left out (§9)', () => {
    it('is answered 404 with the body of errors, whatever the method', async () => {
      const client = (await harness.serve()).client();
      for (const path of LEFT_OUT) {
        for (const method of ['GET', 'POST'] as const) {
          const answer = await client.call(method, `/v1/${path}`);
          expect(answer.status, path).toBe(404);
          expect(answer.json).toMatchObject({
            ok: false,
            error: { code: 'route_not_found', category: 'validation', retryable: false },
            detail: expect.any(String),
          });
        }
      }
    });

    it('goes for a macro of a scenario too: 422', async () => {
      const client = (await harness.serve()).client();
      const json = {
        scenario_id: 's',
        workflow: { macro_id: 'macro.approval' },
        intent: { type: 'a.b.v1' },
      };
      expect((await client.call('POST', '/v1/scenarios/apply', { json })).status).toBe(422);
    });
  });
}

const LEFT_OUT = [
  'users/check-nick',
  'invites/create',
  'media/create-upload',
  'mcp',
  'organizations',
  'members',
  'access-requests',
  'portal/enterprise/overview',
  'principals',
  'aliases',
  'routing/endpoints',
  'transports/bindings',
  'deliveries',
  'quotas',
  'usage/summary',
  'billing/plan',
  'sessions',
  'matrix/rooms',
  'auth/login-intent',
  'alpha/bootstrap',
  'tool-registry/macros',
];
