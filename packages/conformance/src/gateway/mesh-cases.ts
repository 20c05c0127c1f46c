import { describe, expect, it } from 'vitest';
import { asJson, asList, RECEIVER } from './gateway-client.ts';
import type { GatewayHarness } from './gateway-harness.ts';

const OTHER = 'agent://conformance/production/other';
const METRICS = {
  intents_total: 4,
  intents_succeeded: 3,
  intents_failed: 1,
  avg_latency_ms: 120,
  cost_usd: 0.25,
};

/** Contract §8: mesh, capabilities, schemas, and what `axme whoami` asks. */
export function meshCases(harness: GatewayHarness): void {
  describe('mesh (§8)', () => {
    it('knows an agent by its heartbeats, with and without a body', async () => {
      const gateway = await harness.serve();
      const [client, agent] = [gateway.client(), await gateway.agent(RECEIVER)];
      await gateway.agent(OTHER);
      expect((await agent.call('POST', '/v1/mesh/heartbeat')).json).toEqual({ ok: true });
      expect(await agent.post('/v1/mesh/heartbeat', { metrics: METRICS })).toEqual({ ok: true });
      await agent.post('/v1/mesh/heartbeat', { metrics: METRICS });
      const { agents, summary } = await client.get('/v1/mesh/agents?window=day');
      const byAddress = new Map(asList(agents).map((one) => [one['address'], one]));
      expect(byAddress.get(RECEIVER)).toEqual({
        address_id: expect.any(String),
        address: RECEIVER,
        display_name: RECEIVER,
        health_status: 'healthy',
        last_heartbeat_at: expect.any(String),
        created_at: expect.any(String),
        intents_period: 8,
        cost_period: 0.5,
        metadata: { intents_succeeded: 6, intents_failed: 2, avg_latency_ms: 120 },
      });
      expect(byAddress.get(OTHER)).toMatchObject({
        health_status: 'unknown',
        last_heartbeat_at: null,
        metadata: null,
      });
      expect(summary).toMatchObject({
        total: 2,
        healthy: 1,
        degraded: 0,
        unreachable: 0,
        killed: 0,
      });
      const healthy = await client.get('/v1/mesh/agents?health=healthy&limit=5&window=odd');
      expect(asList(healthy['agents'])).toHaveLength(1);
      expect((await client.call('GET', '/v1/mesh/agents?health=odd')).status).toBe(422);
    });

    it('keeps what it was told over a restart', async () => {
      const gateway = await harness.serve();
      const agent = await gateway.agent(RECEIVER);
      await agent.post('/v1/mesh/heartbeat', { metrics: METRICS });
      await gateway.stop();
      const later = (await harness.serve({ data: gateway.data })).client();
      const [one] = asList((await later.get('/v1/mesh/agents'))['agents']);
      expect(one).toMatchObject({ health_status: 'healthy', intents_period: 4 });
      const { agent: shown } = await later.get(`/v1/mesh/agents/${String(one?.['address_id'])}`);
      expect(shown).toEqual(one);
      expect((await later.call('GET', '/v1/mesh/agents/sa_none')).status).toBe(404);
    });

    it('takes no heartbeat that is none, and from an admin without an agent nothing', async () => {
      const client = (await harness.serve()).client();
      expect(await client.post('/v1/mesh/heartbeat')).toEqual({ ok: true });
      expect((await client.get('/v1/mesh/agents'))['agents']).toEqual([]);
      for (const metrics of ['x', { intents_total: -1 }, { cost_usd: '1' }]) {
        const answer = await client.call('POST', '/v1/mesh/heartbeat', { json: { metrics } });
        expect(answer.status).toBe(422);
      }
    });

    it('kill cuts an agent off, both ways, and resume gives it what came meanwhile', async () => {
      const gateway = await harness.serve();
      const [client, agent] = [gateway.client(), await gateway.agent(RECEIVER)];
      const [{ address_id: id } = {}] = asList((await client.get('/v1/mesh/agents'))['agents']);
      const path = `/v1/mesh/agents/${String(id)}`;
      expect(await client.post(`${path}/kill`, { reason: 'runaway' })).toMatchObject({
        ok: true,
        agent: { health_status: 'killed' },
      });
      expect(await client.get('/v1/mesh/agents')).toMatchObject({ summary: { killed: 1 } });
      const intent = { intent_type: 'a.b.v1', to_agent: OTHER, payload: {} };
      const sent = await agent.call('POST', '/v1/intents', { json: intent });
      expect(sent.status).toBe(403);
      expect(sent.json).toMatchObject({ error: { code: 'agent_killed' } });
      const inItsName = { json: { ...intent, from_agent: RECEIVER } };
      expect((await client.call('POST', '/v1/intents', inItsName)).status).toBe(403);
      await agent.post('/v1/mesh/heartbeat');
      const kept = await client.create();
      expect((await agent.listen(RECEIVER, 0, 1)).map(({ event }) => event)).toEqual([
        'stream.timeout',
      ]);
      expect((await client.intent(kept))['status']).toBe('SUBMITTED');
      const listening = agent.listen(RECEIVER, 0, 30);
      await client.call('POST', `${path}/resume`);
      expect((await listening)[0]?.data).toMatchObject({ intent_id: kept, status: 'DELIVERED' });
      await agent.post(`/v1/intents/${kept}/resume`, { action: 'complete' });
      expect((await client.intent(kept))['status']).toBe('COMPLETED');
    });

    it('events say who was killed and resumed, the last first', async () => {
      const gateway = await harness.serve();
      const [client, agent] = [gateway.client(), await gateway.agent(RECEIVER)];
      for (const call of ['kill', 'kill', 'resume']) {
        await client.post(`/v1/mesh/agents/${RECEIVER.slice(8)}/${call}`);
      }
      const { events } = await client.get('/v1/mesh/events?limit=10');
      expect(events).toEqual([
        {
          event_id: expect.any(String),
          address: RECEIVER,
          event_type: 'agent.resumed',
          details: null,
          actor_id: 'admin',
          created_at: expect.any(String),
        },
        expect.objectContaining({ event_type: 'agent.killed' }),
      ]);
      const killed = await client.get('/v1/mesh/events?event_type=agent.killed&limit=1');
      expect(asList(killed['events'])).toHaveLength(1);
      for (const [method, path] of [
        ['GET', '/v1/mesh/events'],
        ['POST', `/v1/mesh/agents/${RECEIVER.slice(8)}/kill`],
      ] as const) {
        expect((await agent.call(method, path)).status).toBe(403);
      }
    });
  });

  describe('capabilities (§8)', () => {
    it('and intent types have the forms of the protocol (§11.28)', async () => {
      const client = (await harness.serve()).client();
      const {
        ok,
        capabilities,
        supported_intent_types: types,
      } = await client.get('/v1/capabilities');
      expect(ok).toBe(true);
      expect(Array.isArray(capabilities) && capabilities.length > 0).toBe(true);
      for (const one of Object.values(asJson(capabilities))) expect(one).toMatch(/^.{3,}$/);
      expect(Object.values(asJson(types)).length).toBeGreaterThan(0);
      for (const one of Object.values(asJson(types))) {
        expect(one).toMatch(/^intent\.[a-z0-9_]+\.v1$/);
      }
    });

    it('whoami is told the workspace (portal context)', async () => {
      const client = (await harness.serve()).client();
      expect(await client.get('/v1/portal/personal/context')).toMatchObject({
        context: { org_id: 'default', workspace_id: 'default' },
        account: { email: expect.any(String) },
        selected_workspace: { org_id: 'default' },
        workspaces: [{ workspace_id: 'default' }],
      });
    });
  });

  describe('schemas (§8)', () => {
    const schema = {
      semantic_type: 'acme.reports.generate.v1',
      schema_json: { type: 'object', required: ['quarter'] },
      compatibility_mode: 'backward',
    };

    it('are kept, and given back with their content, after a restart too', async () => {
      const gateway = await harness.serve();
      const client = gateway.client();
      const { schema: kept } = await client.post('/v1/schemas', schema);
      expect(kept).toEqual({
        semantic_type: 'acme.reports.generate.v1',
        schema_ref: expect.any(String),
        schema_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        compatibility_mode: 'backward',
        scope: 'tenant',
        owner_agent: null,
        active: true,
        created_at: expect.any(String),
        updated_at: expect.any(String),
      });
      await gateway.stop();
      const later = (await harness.serve({ data: gateway.data })).client();
      const { schema_json } = schema;
      const { schema: read } = await later.get(`/v1/schemas/${schema.semantic_type}`);
      expect(read).toEqual({ ...asJson(kept), schema_json });
      const changed = { ...schema, schema_json: {}, active: false, schema_ref: 'my-ref' };
      const { schema: next } = await later.post('/v1/schemas', changed);
      expect(next).toMatchObject({
        active: false,
        schema_ref: 'my-ref',
        created_at: asJson(kept)['created_at'],
      });
      expect(asJson(next)['schema_hash']).not.toBe(asJson(kept)['schema_hash']);
    });

    it('are refused when they are none, and 404 when there is none', async () => {
      const gateway = await harness.serve();
      const client = gateway.client();
      for (const change of [
        { semantic_type: 'too.short.v1' },
        { schema_json: [] },
        { compatibility_mode: 'loose' },
        { scope: 'all' },
        { active: 'yes' },
      ]) {
        const answer = await client.call('POST', '/v1/schemas', { json: { ...schema, ...change } });
        expect(answer.status, JSON.stringify(change)).toBe(422);
      }
      expect((await client.call('GET', '/v1/schemas/acme.no.such.v1')).status).toBe(404);
      expect((await client.call('GET', '/v1/schemas/short')).status).toBe(422);
      const agent = await gateway.agent(RECEIVER);
      const core = { json: { ...schema, scope: 'core' } };
      expect((await agent.call('POST', '/v1/schemas', core)).status).toBe(403);
    });

    it('of one agent are not another’s to change', async () => {
      const gateway = await harness.serve();
      const [one, other] = [await gateway.agent(RECEIVER), await gateway.agent(OTHER)];
      expect(await one.post('/v1/schemas', schema)).toMatchObject({
        schema: { owner_agent: RECEIVER },
      });
      expect((await other.call('POST', '/v1/schemas', { json: schema })).status).toBe(403);
      await other.get(`/v1/schemas/${schema.semantic_type}`);
    });
  });
}
