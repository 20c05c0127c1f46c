import { describe, expect, it } from 'vitest';
import { asJson, asList, nextMillisecond, RECEIVER, type GatewayClient } from './gateway-client.ts';
import type { GatewayHarness } from './gateway-harness.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Two segments, as the protocol's own suite has it. */
const REPLY_TO = 'agent://conformance/reply-target';
const SENDER = 'agent://conformance/production/sender';
const DELEGATE = 'agent://conformance/production/delegate';

const threadsOf = async (
  client: GatewayClient,
  owner: string,
  query = '',
): Promise<Record<string, unknown>[]> =>
  asList(
    (await client.get(`/v1/inbox?owner_agent=${encodeURIComponent(owner)}${query}`))['threads'],
  );

const timelineOf = (thread: unknown): string[] =>
  asList(asJson(thread)['timeline']).map((entry) => String(entry['event_type']));

/** Contract §8: inbox and approvals. */
export function inboxCases(harness: GatewayHarness): void {
  describe('inbox (§8)', () => {
    it('has a thread of a new intent for its recipient, with the members of the protocol', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create({ from_agent: SENDER });
      const [thread, ...others] = await threadsOf(client, RECEIVER);
      expect(others).toEqual([]);
      expect(thread).toMatchObject({
        thread_id: expect.stringMatching(UUID),
        intent_id: id,
        status: 'pending',
        owner_agent: RECEIVER,
        from_agent: SENDER,
        to_agent: RECEIVER,
        created_at: expect.any(String),
        updated_at: expect.any(String),
      });
      expect(thread?.['timeline']).toEqual([
        {
          event_id: expect.stringMatching(UUID),
          event_type: 'intent_received',
          actor: SENDER,
          at: expect.any(String),
          details: expect.any(Object),
        },
      ]);
      const one = await client.get(`/v1/inbox/${String(thread?.['thread_id'])}`);
      expect(one).toEqual({ ok: true, thread });
      expect(await threadsOf(client, SENDER)).toEqual([]);
    });

    it('puts the end of an intent into the inbox of reply_to, under the intent’s own id', async () => {
      const gateway = await harness.serve();
      const client = gateway.client();
      const id = await client.create({ reply_to: REPLY_TO });
      expect(await threadsOf(client, REPLY_TO)).toEqual([]);
      const { completion_delivery: delivery } = await client.post(`/v1/intents/${id}/resolve`, {
        status: 'COMPLETED',
      });
      const { message_id: messageId, thread_id: threadId, reply_to: replyTo } = asJson(delivery);
      expect(replyTo).toBe(REPLY_TO);
      expect(threadId).toBe(id);
      const [thread] = await threadsOf(client, REPLY_TO);
      expect(thread).toMatchObject({
        thread_id: id,
        intent_id: id,
        owner_agent: REPLY_TO,
        status: 'done',
        timeline: [{ event_id: messageId, event_type: 'intent_completed' }],
      });
      await gateway.stop();
      const later = (await harness.serve({ data: gateway.data })).client();
      expect(await threadsOf(later, REPLY_TO)).toEqual([thread]);
      expect(await later.get(`/v1/inbox/${id}`)).toMatchObject({
        thread: { owner_agent: REPLY_TO },
      });
    });

    it('lists newest first, by status: pending, active, done', async () => {
      const client = (await harness.serve()).client();
      const [first, second, third] = [
        await client.create(),
        (await nextMillisecond(), await client.create()),
        (await nextMillisecond(), await client.create()),
      ];
      await client.post(`/v1/intents/${second}/resume`, {});
      await client.post(`/v1/intents/${third}/resolve`, { status: 'CANCELED', reason: 'x' });
      const ids = async (query: string) =>
        (await threadsOf(client, RECEIVER, query)).map((thread) => thread['intent_id']);
      expect(await ids('')).toEqual([third, second, first]);
      expect(await ids('&status=pending')).toEqual([first]);
      expect(await ids('&status=active')).toEqual([second]);
      expect(await ids('&status=done')).toEqual([third]);
      expect(await ids('&limit=2')).toEqual([third, second]);
      expect((await client.call('GET', '/v1/inbox?status=odd')).status).toBe(422);
    });

    it('without an owner is the caller’s own, or everybody’s for an admin', async () => {
      const gateway = await harness.serve();
      const client = gateway.client();
      const agent = await gateway.agent(RECEIVER);
      const own = await client.create();
      const other = await client.create({ to_agent: DELEGATE });
      const ids = async (caller: GatewayClient) =>
        asList((await caller.get('/v1/inbox'))['threads']).map((thread) => thread['intent_id']);
      expect(await ids(agent)).toEqual([own]);
      expect(new Set(await ids(client))).toEqual(new Set([own, other]));
      const path = `/v1/inbox?owner_agent=${encodeURIComponent(DELEGATE)}`;
      expect((await agent.call('GET', path)).status).toBe(403);
      const [thread] = await threadsOf(client, DELEGATE);
      const foreign = `/v1/inbox/${String(thread?.['thread_id'])}`;
      expect((await agent.call('GET', foreign)).status).toBe(404);
      expect(
        (await agent.call('POST', `${foreign}/reply`, { json: { message: 'x' } })).status,
      ).toBe(404);
    });

    it('takes a reply, which the other side finds in its inbox', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create({ from_agent: SENDER });
      const [thread] = await threadsOf(client, RECEIVER);
      const path = `/v1/inbox/${String(thread?.['thread_id'])}`;
      const replied = await client.post(`${path}/reply`, { message: 'On it.' });
      expect(replied).toMatchObject({ ok: true, thread: { status: 'active', intent_id: id } });
      expect(timelineOf(replied['thread'])).toEqual(['intent_received', 'message_sent']);
      const [back] = await threadsOf(client, SENDER);
      expect(back).toMatchObject({
        intent_id: id,
        owner_agent: SENDER,
        timeline: [{ event_type: 'message_received', details: { message: 'On it.' } }],
      });
      await client.post(`/v1/inbox/${String(back?.['thread_id'])}/reply`, { message: 'Thanks.' });
      expect(timelineOf((await client.get(path))['thread'])).toEqual([
        'intent_received',
        'message_sent',
        'message_received',
      ]);
    });

    it('answers 404 for an unknown thread, and 422 for a message that is none', async () => {
      const client = (await harness.serve()).client();
      await client.create();
      const unknown = '/v1/inbox/018f0000-0000-4000-8000-000000000000';
      const missing = await client.call('GET', unknown);
      expect(missing.status).toBe(404);
      expect(missing.json).toMatchObject({ error: { code: 'thread_not_found' } });
      const reply = { json: { message: 'x' } };
      expect((await client.call('POST', `${unknown}/reply`, reply)).status).toBe(404);
      const [thread] = await threadsOf(client, RECEIVER);
      const path = `/v1/inbox/${String(thread?.['thread_id'])}/reply`;
      for (const json of [{}, { message: '' }, { message: 1 }]) {
        expect((await client.call('POST', path, { json })).status).toBe(422);
      }
    });

    it('is delegated: the thread stays with its owner, and the other may do the work', async () => {
      const gateway = await harness.serve();
      const [client, owner] = [gateway.client(), await gateway.agent(RECEIVER)];
      const delegate = await gateway.agent(DELEGATE);
      const id = await client.create();
      expect((await delegate.call('GET', `/v1/intents/${id}`)).status).toBe(404);
      const [thread] = await threadsOf(owner, RECEIVER);
      const path = `/v1/inbox/${String(thread?.['thread_id'])}`;
      const json = { delegate_to: DELEGATE, note: 'yours' };
      const answer = await owner.post(`${path}/delegate`, json);
      expect(timelineOf(answer['thread'])).toContain('delegated');
      expect(await threadsOf(owner, RECEIVER)).toHaveLength(1);
      expect(await client.eventTypes(id)).toContain('transfer');
      const [theirs] = await threadsOf(delegate, DELEGATE);
      expect(theirs).toMatchObject({
        intent_id: id,
        status: 'pending',
        timeline: [{ event_type: 'delegated_to', details: { note: 'yours' } }],
      });
      await delegate.post(`/v1/intents/${id}/resume`, { action: 'complete', n: 1 });
      expect(await client.intent(id)).toMatchObject({ status: 'COMPLETED', result: { n: 1 } });
      // Without naming anybody it is a note, also of what has ended.
      expect(timelineOf((await owner.post(`${path}/delegate`, {}))['thread'])).toContain(
        'delegated',
      );
    });

    it('is approved and rejected, and stays visible and usable', async () => {
      const client = (await harness.serve()).client();
      await client.create();
      const [thread] = await threadsOf(client, RECEIVER);
      const path = `/v1/inbox/${String(thread?.['thread_id'])}`;
      const approved = await client.post(`${path}/approve`, { comment: 'fine' });
      expect(approved).toMatchObject({ ok: true, thread: { status: 'done' } });
      await client.post(`${path}/reply`, { message: 'still here' });
      expect(timelineOf((await client.post(`${path}/reject`, {}))['thread'])).toEqual([
        'intent_received',
        'approved',
        'message_sent',
        'rejected',
      ]);
      expect(await threadsOf(client, RECEIVER)).toHaveLength(1);
    });

    it('approve and reject decide what waits for a person', async () => {
      const client = (await harness.serve()).client();
      for (const [call, status] of [
        ['approve', 'COMPLETED'],
        ['reject', 'FAILED'],
      ] as const) {
        const id = await client.create({ human_task: { title: 'Sign', required_comment: true } });
        const threads = await threadsOf(client, RECEIVER);
        const thread = threads.find((one) => one['intent_id'] === id);
        const path = `/v1/inbox/${String(thread?.['thread_id'])}/${call}`;
        await client.post(path, { comment: 'by the inbox' });
        expect((await client.intent(id))['status']).toBe(status);
      }
    });

    it('messages are deleted, for one side or both, and a timeline is never empty', async () => {
      const client = (await harness.serve()).client();
      await client.create({ from_agent: SENDER });
      const [thread] = await threadsOf(client, RECEIVER);
      const path = `/v1/inbox/${String(thread?.['thread_id'])}`;
      for (const message of ['one', 'two', 'three'])
        await client.post(`${path}/reply`, { message });
      const { thread: written } = await client.get(path);
      const [, first] = asList(asJson(written)['timeline']);
      const own = { mode: 'self', message_ids: [first?.['event_id']] };
      expect(await client.post(`${path}/messages/delete`, own)).toMatchObject({
        ok: true,
        mode: 'self',
        deleted_count: 1,
        message_ids: [first?.['event_id']],
        thread: { timeline: { length: 3 } },
      });
      const [theirs] = await threadsOf(client, SENDER);
      expect(timelineOf(theirs)).toHaveLength(3);
      const limited = await client.post(`${path}/messages/delete`, { mode: 'both', limit: 1 });
      expect(limited['deleted_count']).toBe(1);
      expect(timelineOf((await threadsOf(client, SENDER))[0])).toHaveLength(2);
      const other = `/v1/inbox/${String(theirs?.['thread_id'])}/messages/delete`;
      const { thread: left } = await client.post(other, { mode: 'self' });
      expect(timelineOf(left)).toHaveLength(1);
      const wrong = await client.call('POST', other, { json: { mode: 'all' } });
      expect(wrong.status).toBe(422);
    });

    it('changes come by cursor, each thread as it is now, also those from before they were asked for', async () => {
      const client = (await harness.serve()).client();
      const owner = `owner_agent=${encodeURIComponent(RECEIVER)}`;
      const changes = async (query = '') => {
        const answer = await client.get(`/v1/inbox/changes?${owner}${query}`);
        const ids = asList(answer['changes']).map((one) => asJson(one['thread'])['intent_id']);
        return { ...answer, ids, next: String(answer['next_cursor']) };
      };
      const first = await client.create();
      const begun = await changes();
      expect(begun).toMatchObject({ ok: true, ids: [first], has_more: false });
      expect(begun.next.length).toBeGreaterThanOrEqual(3);
      expect((await changes(`&cursor=${begun.next}`)).ids).toEqual([]);
      const second = await client.create();
      const third = await client.create();
      const page = await changes(`&cursor=${begun.next}&limit=1`);
      expect(page).toMatchObject({ ids: [second], has_more: true });
      expect(await changes(`&cursor=${page.next}`)).toMatchObject({
        ids: [third],
        has_more: false,
      });
      const { next } = await changes();
      await client.post(`/v1/intents/${first}/resolve`, { status: 'COMPLETED' });
      const ended = await changes(`&cursor=${next}`);
      expect(ended).toMatchObject({ changes: [{ thread: { status: 'done' } }] });
      const threadId = asJson(asList(asJson(ended)['changes'])[0]?.['thread'])['thread_id'];
      await client.post(`/v1/inbox/${String(threadId)}/reply`, { message: 'x' });
      expect((await changes(`&cursor=${ended.next}`)).ids).toEqual([first]);
      expect((await client.call('GET', '/v1/inbox/changes?cursor=odd')).status).toBe(422);
    });

    it('changes of all inboxes have those of reply_to too', async () => {
      const client = (await harness.serve()).client();
      const { next_cursor: cursor } = await client.get('/v1/inbox/changes');
      const id = await client.create({ reply_to: REPLY_TO });
      await client.post(`/v1/intents/${id}/resolve`, { status: 'COMPLETED' });
      const { changes } = await client.get(`/v1/inbox/changes?cursor=${String(cursor)}&limit=100`);
      const owners = asList(changes).map((one) => asJson(one['thread'])['owner_agent']);
      expect(new Set(owners)).toEqual(new Set([RECEIVER, REPLY_TO]));
      expect(owners).toHaveLength(2);
    });

    it('writes once per idempotency key, and answers 409 to another body (§6)', async () => {
      const client = (await harness.serve()).client();
      await client.create();
      const [thread] = await threadsOf(client, RECEIVER);
      const path = `/v1/inbox/${String(thread?.['thread_id'])}/reply`;
      const headers = { 'idempotency-key': 'reply-1' };
      const json = { message: 'once' };
      const answers = await Promise.all([1, 2, 3].map(() => client.post(path, json, { headers })));
      expect(answers[1]).toEqual(answers[0]);
      expect(answers[2]).toEqual(answers[0]);
      expect(timelineOf((await threadsOf(client, RECEIVER))[0])).toHaveLength(2);
      const other = await client.call('POST', path, { json: { message: 'twice' }, headers });
      expect(other.status).toBe(409);
      expect(other.json).toMatchObject({ error: { code: 'idempotency_conflict' } });
      const refused = { 'idempotency-key': 'reply-2' };
      for (let i = 0; i < 2; i += 1) {
        const answer = await client.call('POST', path, { json: { message: '' }, headers: refused });
        expect(answer.status).toBe(422);
      }
    });
  });

  describe('approvals (§8)', () => {
    it('of an unknown id are recorded, once and for all (§11.25)', async () => {
      const client = (await harness.serve()).client();
      const path = '/v1/approvals/3c1f3f0e-7a53-4d0c-9f5f-0a4f6b6c9d11/decision';
      const { approval } = await client.post(path, { decision: 'approve', comment: 'ok' });
      expect(approval).toEqual({
        approval_id: '3c1f3f0e-7a53-4d0c-9f5f-0a4f6b6c9d11',
        decision: 'approve',
        comment: 'ok',
        decided_at: expect.any(String),
      });
      expect((await client.post(path, { decision: 'approve' }))['approval']).toEqual(approval);
      const other = await client.call('POST', path, { json: { decision: 'reject' } });
      expect(other.status).toBe(409);
      const without = '/v1/approvals/3c1f3f0e-7a53-4d0c-9f5f-0a4f6b6c9d12/decision';
      expect(await client.post(without, { decision: 'reject' })).toMatchObject({
        approval: { comment: null },
      });
    });

    it('of an intent that waits for a person decide it', async () => {
      const gateway = await harness.serve();
      const client = gateway.client();
      const id = await client.create({ human_task: { title: 'Sign' } });
      const path = `/v1/approvals/${id}/decision`;
      const stranger = await gateway.agent(DELEGATE);
      const json = { decision: 'approve' };
      expect((await stranger.call('POST', path, { json })).status).toBe(404);
      expect(await client.post(path, json)).toMatchObject({ approval: { approval_id: id } });
      expect((await client.intent(id))['status']).toBe('COMPLETED');
      expect((await client.call('POST', path, { json })).status).toBe(409);
    });

    it('are refused with 422 when they are none', async () => {
      const client = (await harness.serve()).client();
      const path = '/v1/approvals/some-id/decision';
      for (const json of [{}, { decision: 'approved' }, { decision: 'approve', comment: 1 }]) {
        expect((await client.call('POST', path, { json })).status).toBe(422);
      }
      const long = { decision: 'approve', comment: 'x'.repeat(1_001) };
      expect((await client.call('POST', path, { json: long })).status).toBe(422);
    });
  });
}
