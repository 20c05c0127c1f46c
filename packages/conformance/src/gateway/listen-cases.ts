import { describe, expect, it } from 'vitest';
import { asJson, RECEIVER } from './gateway-client.ts';
import type { GatewayHarness } from './gateway-harness.ts';

/** Contract §5.1 and the lifecycle of §7. */
export function listenCases(harness: GatewayHarness): void {
  describe('listen (§5.1)', () => {
    it('sends what is there, as delivered, and ends', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create({ payload: { quarter: 'Q3' }, from_agent: 'agent://a/b/c' });
      const [frame, ...others] = await client.listen();
      expect(others).toEqual([]);
      expect(frame).toMatchObject({ id: '2', event: 'intent.delivered' });
      expect(frame?.data).toMatchObject({
        intent_id: id,
        seq: 2,
        event_type: 'intent.delivered',
        status: 'DELIVERED',
        intent_type: 'report.generate.v1',
        from_agent: 'agent://a/b/c',
        to_agent: RECEIVER,
        delivery_attempt: 1,
        payload: { quarter: 'Q3' },
      });
      expect(await client.intent(id)).toMatchObject({ status: 'DELIVERED', delivery_attempt: 1 });
    });

    it('holds while idle, sends at once what comes, and never ends early and empty', async () => {
      const client = (await harness.serve()).client();
      const asked = client.listen(RECEIVER, 0, 60);
      const id = await client.create();
      expect((await asked).map((frame) => frame.data['intent_id'])).toEqual([id]);
      const empty = await client.listen(RECEIVER, 2, 1);
      expect(empty.map(({ event, data }) => [event, data['next_seq']])).toEqual([
        ['stream.timeout', 2],
      ]);
    });

    it('has one rising cursor for all intents of an address, in steps of two, and clamps since', async () => {
      const client = (await harness.serve()).client();
      const ids = [await client.create(), await client.create(), await client.create()];
      const frames = await client.listen();
      expect(frames.map((frame) => frame.id)).toEqual(['2', '4', '6']);
      expect(frames.map((frame) => frame.data['intent_id'])).toEqual(ids);
      // Who comes back with the last id + 1 misses nothing.
      const asked = client.listen(RECEIVER, 7, 30);
      const next = await client.create();
      expect((await asked).map((frame) => frame.data['intent_id'])).toEqual([next]);
      const some = await client.listen(RECEIVER, 4);
      expect(some.map((frame) => frame.id)).toEqual(['6', '8']);
    });

    it('replays from 0 what has not ended, also after a restart', async () => {
      const gateway = await harness.serve();
      const client = gateway.client();
      const [one, two] = [await client.create(), await client.create()];
      await client.listen();
      await client.post(`/v1/intents/${one}/resume`, { action: 'complete' });
      await client.post(`/v1/intents/${two}/resume`, {});
      await gateway.stop();
      const later = (await harness.serve({ data: gateway.data })).client();
      const frames = await later.listen();
      expect(frames.map(({ id, data }) => [id, data['intent_id'], data['status']])).toEqual([
        ['4', two, 'IN_PROGRESS'],
      ]);
      const three = await later.create();
      const next = await later.listen(RECEIVER, 4);
      expect(next.map(({ id, data }) => [id, data['intent_id']])).toEqual([['6', three]]);
    });

    it('filters by status', async () => {
      const client = (await harness.serve()).client();
      await client.create();
      const path = `/v1/agents/${RECEIVER.slice(8)}/intents/stream?since=0&wait_seconds=1`;
      const none = await client.stream(`${path}&status=IN_PROGRESS`);
      expect(none.frames.map((frame) => frame.event)).toEqual(['stream.timeout']);
      const some = await client.stream(`${path}&status=DELIVERED,CREATED`);
      expect(some.frames.map((frame) => frame.event)).toEqual(['intent.delivered']);
    });

    it('leaves a large payload to be read with the intent', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create({ payload: { text: 'x'.repeat(40_000) } });
      const [frame] = await client.listen();
      expect(frame?.data).not.toHaveProperty('payload');
      expect(asJson((await client.intent(id))['payload'])['text']).toHaveLength(40_000);
    });

    it('has the sequence that the seed prints', async () => {
      const gateway = await harness.serve();
      const client = gateway.client();
      const agent = await gateway.agent(RECEIVER);
      const id = await client.create();
      await agent.listen();
      await agent.intent(id);
      await agent.post(`/v1/intents/${id}/resume`, { action: 'complete', rows: 1 });
      expect(await client.eventTypes(id)).toEqual([
        'created',
        'submitted',
        'delivered',
        'in_progress',
        'completed',
      ]);
    });

    it('sends again, at a new place, what nobody has taken, and gives up after max_delivery_attempts', async () => {
      const client = (await harness.serve({ redeliverMs: 50 })).client();
      const id = await client.create({ max_delivery_attempts: 2 });
      const [first] = await client.listen();
      const [second] = await client.listen(RECEIVER, Number(first?.id), 20);
      expect(second?.data).toMatchObject({ intent_id: id, delivery_attempt: 2 });
      expect(Number(second?.id)).toBeGreaterThan(Number(first?.id));
      // There is one live entry for it.
      expect(await client.listen(RECEIVER, 0)).toHaveLength(1);
      await expect.poll(async () => (await client.intent(id))['status']).toBe('FAILED');
      expect(await client.intent(id)).toMatchObject({ error: { code: 'delivery_failed' } });
      const events = await client.events(id);
      expect(events.map(({ event_type, status }) => [event_type, status]).slice(2)).toEqual([
        ['intent.delivered', 'DELIVERED'],
        ['intent.delivery_failed', 'DELIVERED'],
        ['intent.delivered', 'DELIVERED'],
        ['intent.delivery_failed', 'DELIVERED'],
        ['intent.failed', 'FAILED'],
      ]);
    });

    it('does not send again what its agent has read', async () => {
      const gateway = await harness.serve({ redeliverMs: 200 });
      const agent = await gateway.agent(RECEIVER);
      const id = await gateway.client().create();
      const [frame] = await agent.listen();
      expect((await agent.intent(id))['status']).toBe('IN_PROGRESS');
      const later = await agent.listen(RECEIVER, Number(frame?.id), 1);
      expect(later.map(({ event }) => event)).toEqual(['stream.timeout']);
      expect((await agent.intent(id))['status']).toBe('IN_PROGRESS');
    });
  });

  describe('time (§4.1, §7)', () => {
    it('ends as TIMED_OUT when the deadline passes, also across a restart', async () => {
      const gateway = await harness.serve();
      const deadline = new Date(Date.now() + 700).toISOString();
      const id = await gateway.client().create({ deadline_at: deadline });
      await gateway.stop();
      const client = (await harness.serve({ data: gateway.data })).client();
      await expect.poll(async () => (await client.intent(id))['status']).toBe('TIMED_OUT');
      expect((await client.events(id)).at(-1)).toMatchObject({
        event_type: 'intent.timed_out',
        details: { reason: 'deadline' },
      });
      const late = { json: { status: 'COMPLETED' } };
      expect((await client.call('POST', `/v1/intents/${id}/resolve`, late)).status).toBe(409);
    });

    it('reminds, and then tells somebody else', async () => {
      const client = (await harness.serve()).client();
      const other = 'agent://conformance/production/boss';
      const id = await client.create({
        remind_after_seconds: 1,
        remind_interval_seconds: 1,
        max_reminders: 1,
        escalate_to: other,
      });
      await expect
        .poll(() => client.eventTypes(id))
        .toEqual(['created', 'submitted', 'reminder', 'escalated']);
      expect((await client.intent(id))['pending_with']).toMatchObject({
        ref: other,
        type: 'agent',
      });
      const [frame] = await client.listen(other);
      expect(frame?.data).toMatchObject({ intent_id: id });
    });
  });
}
