import { describe, expect, it } from 'vitest';
import { asJson, RECEIVER, type GatewayClient, type Json } from './gateway-client.ts';
import type { GatewayHarness } from './gateway-harness.ts';

const LEASES = `/v1/agents/${RECEIVER.slice('agent://'.length)}/leases`;

async function openLease(agent: GatewayClient, seconds: number): Promise<string> {
  const opened = await agent.post(LEASES, { lease_seconds: seconds });
  expect(opened).toMatchObject({ ok: true, lease_seconds: seconds });
  return String(opened['lease_id']);
}

function claim(agent: GatewayClient, id: string, lease: string): Promise<Json> {
  return agent.post(`/v1/intents/${id}/claim`, { lease_id: lease });
}

/** The reasons for which an intent was sent again. */
async function reasonsOf(client: GatewayClient, id: string): Promise<unknown[]> {
  const events = await client.events(id);
  return events
    .filter((event) => event['event_type'] === 'intent.delivery_failed')
    .map((event) => asJson(event['details'])['reason']);
}

/** Leases of agents, which the contract does not have: README of the gateway. */
export function leaseCases(harness: GatewayHarness): void {
  describe('a lease of an agent', () => {
    it('has what is claimed under it to itself', async () => {
      const gateway = await harness.serve();
      const agent = await gateway.agent(RECEIVER);
      const id = await gateway.client().create();
      const [one, two] = [await openLease(agent, 60), await openLease(agent, 60)];
      expect(await claim(agent, id, one)).toMatchObject({
        ok: true,
        claimed: true,
        intent: { status: 'IN_PROGRESS' },
      });
      expect(await claim(agent, id, one)).toMatchObject({ claimed: true });
      expect(await claim(agent, id, two)).toMatchObject({ claimed: false });
      const [frame] = await agent.listen(RECEIVER, 0, 1);
      expect(frame?.event).toBe('stream.timeout');
      await agent.post(`/v1/intents/${id}/resume`, { rows: 3 });
      expect(await agent.intent(id)).toMatchObject({ status: 'COMPLETED', result: { rows: 3 } });
    });

    it('is one of several that claim at once', async () => {
      const gateway = await harness.serve();
      const agent = await gateway.agent(RECEIVER);
      const id = await gateway.client().create();
      const leases = await Promise.all([60, 60, 60, 60].map((s) => openLease(agent, s)));
      const answers = await Promise.all(leases.map((lease) => claim(agent, id, lease)));
      expect(answers.filter((answer) => answer['claimed'] === true)).toHaveLength(1);
    });

    it('is told at a renewal what is not its any more', async () => {
      const gateway = await harness.serve();
      const agent = await gateway.agent(RECEIVER);
      const client = gateway.client();
      const [mine, ended, never] = [
        await client.create(),
        await client.create(),
        await client.create(),
      ];
      const lease = await openLease(agent, 60);
      for (const id of [mine, ended]) await claim(agent, id, lease);
      await client.post(`/v1/intents/${ended}/resolve`, { status: 'CANCELED' });
      const renewed = await agent.post(`${LEASES}/${lease}/renew`, {
        intent_ids: [mine, ended, never],
      });
      expect(renewed).toMatchObject({ ok: true, alive: true, lost: [ended, never] });
    });

    it('gives back what it holds when it ends, and takes nothing more', async () => {
      const gateway = await harness.serve();
      const agent = await gateway.agent(RECEIVER);
      const client = gateway.client();
      const id = await client.create({ max_delivery_attempts: 1 });
      const lease = await openLease(agent, 60);
      await claim(agent, id, lease);
      expect(await agent.post(`${LEASES}/${lease}/end`)).toMatchObject({ ok: true });
      // Who gives it back has not failed at it, however few attempts there are.
      expect(await reasonsOf(client, id)).toEqual(['released']);
      const [frame] = await agent.listen();
      expect(frame?.data).toMatchObject({ intent_id: id, status: 'DELIVERED' });
      const late = await agent.call('POST', `/v1/intents/${id}/claim`, {
        json: { lease_id: lease },
      });
      expect(late.status).toBe(409);
      expect(late.json).toMatchObject({ error: { code: 'lease_ended' } });
      const renewed = await agent.post(`${LEASES}/${lease}/renew`, { intent_ids: [id] });
      expect(renewed).toMatchObject({ alive: false, lost: [id] });
      expect(await claim(agent, id, await openLease(agent, 60))).toMatchObject({ claimed: true });
    });

    it('that is not renewed has what it holds sent again, until it was lost too often', async () => {
      const gateway = await harness.serve();
      const agent = await gateway.agent(RECEIVER);
      const client = gateway.client();
      const id = await client.create({ max_delivery_attempts: 2 });
      const [kept, first] = [await openLease(agent, 2), await openLease(agent, 1)];
      const held = await client.create();
      await claim(agent, held, kept);
      const [sent] = await agent.listen();
      expect(sent?.data).toMatchObject({ intent_id: id, delivery_attempt: 1 });
      await claim(agent, id, first);
      const [again] = await renewing(agent, kept, () =>
        agent.listen(RECEIVER, Number(sent?.id), 20),
      );
      expect(again?.data).toMatchObject({ intent_id: id, delivery_attempt: 2 });
      expect(await reasonsOf(client, id)).toEqual(['lease_lost']);
      await claim(agent, id, await openLease(agent, 1));
      await renewing(agent, kept, () =>
        expect.poll(() => client.intent(id)).toMatchObject({ status: 'FAILED' }),
      );
      expect(await client.intent(id)).toMatchObject({ error: { code: 'delivery_failed' } });
      expect(await reasonsOf(client, held)).toEqual([]);
    });

    it('holds over a restart of the gateway, and runs out after it', async () => {
      const before = await harness.serve();
      const agent = await before.agent(RECEIVER);
      const [id, other] = [await before.client().create(), await before.client().create()];
      const [long, short] = [await openLease(agent, 60), await openLease(agent, 1)];
      await claim(agent, id, long);
      await claim(agent, other, short);
      await before.stop();
      const after = await harness.serve({ data: before.data });
      const client = after.client();
      await expect.poll(() => reasonsOf(client, other)).toEqual(['lease_lost']);
      const renewed = await client.post(`${LEASES}/${long}/renew`, { intent_ids: [id, other] });
      expect(renewed).toMatchObject({ alive: true, lost: [other] });
    });

    it('is its agent’s, of a length that makes sense', async () => {
      const gateway = await harness.serve();
      const [agent, other] = [
        await gateway.agent(RECEIVER),
        await gateway.agent('agent://conformance/production/other'),
      ];
      expect((await other.call('POST', LEASES, { json: {} })).status).toBe(403);
      const id = await gateway.client().create();
      const lease = await openLease(agent, 60);
      const claimed = await other.call('POST', `/v1/intents/${id}/claim`, {
        json: { lease_id: lease },
      });
      expect(claimed.status).toBe(404);
      const own = String(
        (await other.post('/v1/agents/conformance/production/other/leases'))['lease_id'],
      );
      const foreign = await agent.call('POST', `/v1/intents/${id}/claim`, {
        json: { lease_id: own },
      });
      expect(foreign.status).toBe(409);
      for (const seconds of [0, 3_601, 1.5, 'x']) {
        const wrong = { json: { lease_seconds: seconds } };
        expect((await agent.call('POST', LEASES, wrong)).status, String(seconds)).toBe(422);
      }
    });
  });
}

/** Keeps a lease alive while `work` goes on. */
async function renewing<T>(
  agent: GatewayClient,
  lease: string,
  work: () => Promise<T>,
): Promise<T> {
  const timer = setInterval(() => {
    agent.post(`${LEASES}/${lease}/renew`).catch(() => {});
  }, 250);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
