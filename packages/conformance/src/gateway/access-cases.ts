import { describe, expect, it } from 'vitest';
import { asJson, asList, RECEIVER } from './gateway-client.ts';
import { ADMIN_KEY, type GatewayHarness } from './gateway-harness.ts';

const OTHER = 'agent://conformance/production/other';

/** Contract §5.3, the agents of §5.1, and who may do what. */
export function accessCases(harness: GatewayHarness): void {
  describe('service accounts (§5.3)', () => {
    it('are made once per name, without created_by_actor_id, and never show an address', async () => {
      const client = (await harness.serve()).client();
      const ask = '/v1/service-accounts?org_id=o-1&workspace_id=w-1';
      expect(await client.get(ask)).toMatchObject({ service_accounts: [] });
      const body = {
        name: 'report-api-demo',
        display_name: 'Demo',
        org_id: 'o-1',
        workspace_id: 'w-1',
      };
      const { service_account: made } = await client.post('/v1/service-accounts', body);
      const { service_account: again } = await client.post('/v1/service-accounts', body);
      expect(again).toEqual(made);
      expect(made).not.toHaveProperty('address');
      expect(made).toMatchObject({
        name: 'report-api-demo',
        service_account_id: expect.stringContaining('report-api-demo'),
        agent_address: 'agent://default/default/report-api-demo',
      });
      const { service_accounts: all } = await client.get(ask);
      expect(all).toEqual([made]);
      const { service_account_id: id } = asJson(made);
      expect(
        asJson((await client.get(`/v1/service-accounts/${String(id)}`))['service_account']),
      ).toMatchObject({ service_account_id: id });
    });

    it('mint keys that are shown once, list and revoke them', async () => {
      const gateway = await harness.serve();
      const client = gateway.client();
      const { service_account: account } = await client.post('/v1/service-accounts', {
        name: 'one',
      });
      const path = `/v1/service-accounts/${String(asJson(account)['service_account_id'])}`;
      const key = asJson((await client.post(`${path}/keys`))['key']);
      expect(key).toMatchObject({
        key_id: expect.any(String),
        token: expect.any(String),
        key_hint: expect.any(String),
        status: 'active',
        expires_at: null,
        service_account_id: asJson(account)['service_account_id'],
      });
      const listed = asList((await client.get(`${path}/keys`))['keys']);
      expect(listed).toMatchObject([{ key_id: key['key_id'], status: 'active' }]);
      expect(listed[0]).not.toHaveProperty('token');
      const agent = gateway.client(String(key['token']));
      await agent.get('/v1/intents');
      const revoked = await client.call('POST', `${path}/keys/${String(key['key_id'])}/revoke`);
      expect(revoked.json).toMatchObject({ ok: true, key: { status: 'revoked' } });
      expect((await agent.call('GET', '/v1/intents')).status).toBe(401);
    });

    it('take their keys with them, and keep them over a restart otherwise', async () => {
      const gateway = await harness.serve();
      const client = gateway.client();
      const { service_account: account } = await client.post('/v1/service-accounts', {
        name: 'one',
      });
      const path = `/v1/service-accounts/${String(asJson(account)['service_account_id'])}`;
      const token = String(asJson((await client.post(`${path}/keys`))['key'])['token']);
      await gateway.stop();
      const later = await harness.serve({ data: gateway.data });
      await later.client(token).get('/v1/intents');
      expect((await later.client().call('DELETE', path)).status).toBe(200);
      expect((await later.client(token).call('GET', '/v1/intents')).status).toBe(401);
      expect((await later.client().call('GET', path)).status).toBe(404);
    });

    it('are an admin’s alone', async () => {
      const gateway = await harness.serve();
      const agent = await gateway.agent(RECEIVER);
      for (const [method, path] of [
        ['GET', '/v1/service-accounts'],
        ['POST', '/v1/service-accounts'],
        ['POST', '/v1/service-accounts/any/keys'],
        ['POST', '/v1/intents/bulk-cancel'],
      ] as const) {
        expect((await agent.call(method, path, { json: { name: 'x' } })).status, path).toBe(403);
      }
    });
  });

  describe('agents (§5.1)', () => {
    it('are listed and shown, 404 when there is none', async () => {
      const gateway = await harness.serve();
      const client = gateway.client();
      await gateway.agent(RECEIVER);
      const { agent } = await client.get(`/v1/agents/${RECEIVER.slice(8)}`);
      expect(agent).toEqual({
        address: RECEIVER,
        service_account_id: expect.any(String),
        service_account_name: RECEIVER,
        display_name: null,
        status: 'active',
        created_at: expect.any(String),
        updated_at: expect.any(String),
      });
      const { updated_at: _updatedAt, ...listed } = asJson(agent);
      expect((await client.get('/v1/agents?org_id=x&limit=5'))['agents']).toEqual([listed]);
      const missing = await client.call('GET', '/v1/agents/no/such/agent');
      expect(missing.json).toMatchObject({ error: { code: 'agent_not_found' } });
    });
  });

  describe('an agent’s key', () => {
    it('cannot listen to, see, resume, resolve or list what is another’s', async () => {
      const gateway = await harness.serve();
      const stranger = await gateway.agent(OTHER);
      const id = await gateway.client().create();
      const path = `/v1/agents/${RECEIVER.slice(8)}/intents/stream?since=0&wait_seconds=1`;
      expect((await stranger.call('GET', path)).status).toBe(403);
      expect((await stranger.call('GET', `/v1/agents/${RECEIVER.slice(8)}`)).status).toBe(403);
      const unknown = await stranger.call(
        'GET',
        '/v1/intents/018f0000-0000-7000-8000-000000000000',
      );
      for (const [method, call] of [
        ['GET', ''],
        ['GET', '/events'],
        ['GET', '/events/stream'],
        ['POST', '/resume'],
        ['POST', '/resolve'],
        ['POST', '/controls'],
        ['POST', '/policy'],
      ] as const) {
        const json = { status: 'COMPLETED', controls_patch: {} };
        const body = method === 'POST' ? { json } : {};
        const answer = await stranger.call(method, `/v1/intents/${id}${call}`, body);
        expect(answer.status, call).toBe(404);
        const { code } = asJson(asJson(answer.json)['error']);
        expect(code).toBe(asJson(asJson(unknown.json)['error'])['code']);
      }
      expect((await stranger.get('/v1/intents'))['intents']).toEqual([]);
      const owner = { headers: { 'x-owner-agent': RECEIVER } };
      expect((await stranger.get('/v1/intents', owner))['intents']).toEqual([]);
      expect(await gateway.client().eventTypes(id)).toEqual(['created', 'submitted']);
    });

    it('lets it follow and end what it has sent, but not resume it, and sends in its own name', async () => {
      const gateway = await harness.serve();
      const sender = await gateway.agent(OTHER);
      const id = await sender.create({ from_agent: 'agent://some/body/else' });
      expect(await sender.intent(id)).toMatchObject({ from_agent: OTHER, status: 'SUBMITTED' });
      const json = { action: 'complete' };
      expect((await sender.call('POST', `/v1/intents/${id}/resume`, { json })).status).toBe(403);
      await sender.post(`/v1/intents/${id}/resolve`, { status: 'CANCELED' });
    });

    it('may resume for another whose policy says so', async () => {
      const gateway = await harness.serve();
      const helper = await gateway.agent(OTHER);
      const client = gateway.client();
      const id = await client.create();
      const grants = { [`delegate:${OTHER}`]: { allow: ['resume'] } };
      await client.post(`/v1/intents/${id}/policy`, { grants_patch: grants });
      await helper.post(`/v1/intents/${id}/resume`, { action: 'complete' });
      expect(await client.intent(id)).toMatchObject({ status: 'COMPLETED' });
    });

    it('ends its open streams within a second when it is revoked, here and in another process', async () => {
      const gateway = await harness.serve();
      const other = await harness.serve({ data: gateway.data });
      const admin = gateway.client();
      const { service_account: account } = await admin.post('/v1/service-accounts', {
        name: RECEIVER,
      });
      const path = `/v1/service-accounts/${String(asJson(account)['service_account_id'])}`;
      const key = asJson((await admin.post(`${path}/keys`))['key']);
      const stream = `/v1/agents/${RECEIVER.slice(8)}/intents/stream?since=0&wait_seconds=60`;
      const token = String(key['token']);
      const open = await Promise.all(
        [gateway, other].map((each) => each.client(token).open(stream)),
      );
      expect(open.map((each) => each.status)).toEqual([200, 200]);
      const ended = Promise.all(open.map((each) => each.text));
      const revokedAt = performance.now();
      await admin.call('POST', `${path}/keys/${String(key['key_id'])}/revoke`);
      await ended;
      // On a loaded machine the test is late, and not the gateway.
      expect(performance.now() - revokedAt).toBeLessThan(5_000);
    });
  });

  describe('an open gateway', () => {
    it('lets in who has no key, and knows an agent by its key all the same', async () => {
      const gateway = await harness.serve({ open: true, adminKeys: [] });
      const nobody = gateway.client(null);
      const id = await nobody.create();
      const { service_account: account } = await nobody.post('/v1/service-accounts', {
        name: RECEIVER,
      });
      const path = `/v1/service-accounts/${String(asJson(account)['service_account_id'])}/keys`;
      const token = String(asJson((await nobody.post(path))['key'])['token']);
      await gateway.client(token).listen();
      expect((await gateway.client(token).intent(id))['status']).toBe('IN_PROGRESS');
      expect((await gateway.client('whatever').intent(id))['status']).toBe('IN_PROGRESS');
    });

    it('is not what a gateway without keys is', async () => {
      const gateway = await harness.serve({ adminKeys: [] });
      expect((await gateway.client(ADMIN_KEY).call('GET', '/v1/intents')).status).toBe(401);
      expect((await gateway.client(null).call('GET', '/v1/intents')).status).toBe(401);
    });
  });
}
