import { describe, expect, it } from 'vitest';
import { asJson, nextMillisecond, RECEIVER } from './gateway-client.ts';
import type { GatewayHarness } from './gateway-harness.ts';

/** Contract §4.5, §4.6, §4.7 and the bulk cancel of §8. */
export function resumeCases(harness: GatewayHarness): void {
  describe('resolve (§4.5)', () => {
    it('answers intent, event and completion delivery, from any status that is none of an end', async () => {
      const client = (await harness.serve()).client();
      const replyTo = 'agent://conformance/reply-target';
      const id = await client.create({ reply_to: replyTo });
      const answer = await client.post(`/v1/intents/${id}/resolve?owner_agent=${RECEIVER}`, {
        status: 'COMPLETED',
        result: { rows: 3 },
      });
      expect(Object.keys(answer)).toEqual(['ok', 'intent', 'event', 'completion_delivery']);
      expect(answer['intent']).toMatchObject({ status: 'COMPLETED', result: { rows: 3 } });
      const event = asJson(answer['event']);
      expect(event).toMatchObject({ event_type: 'intent.completed', seq: 3, status: 'COMPLETED' });
      const known =
        'intent_id seq event_type status waiting_reason pending_with handler actor at details';
      expect(Object.keys(event).filter((key) => !known.split(' ').includes(key))).toEqual([]);
      expect(answer['completion_delivery']).toEqual({
        delivered: true,
        reply_to: replyTo,
        thread_id: id,
        message_id: expect.any(String),
        completion: { type: 'intent.completed', intent_id: id, status: 'COMPLETED' },
      });
    });

    it('takes a status alone, and CANCELLED with two Ls', async () => {
      const client = (await harness.serve()).client();
      const statuses = { COMPLETED: 'COMPLETED', FAILED: 'FAILED', CANCELLED: 'CANCELED' };
      for (const [status, ended] of Object.entries(statuses)) {
        const id = await client.create();
        const answer = await client.post(`/v1/intents/${id}/resolve`, { status });
        expect(answer['intent']).toMatchObject({ status: ended });
        expect(answer['completion_delivery']).toEqual({
          delivered: false,
          reason: 'reply_to_not_set',
        });
      }
      const id = await client.create();
      const wrong = { json: { status: 'TIMED_OUT' } };
      expect((await client.call('POST', `/v1/intents/${id}/resolve`, wrong)).status).toBe(422);
    });

    it('and resume refuse a result or an error of more than 128 KiB with 413', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create();
      const large = { a: 'a'.repeat(131_072) };
      const calls: [string, object][] = [
        ['resolve', { status: 'COMPLETED', result: large }],
        ['resolve', { status: 'FAILED', error: large }],
        ['resume', large],
      ];
      for (const [call, json] of calls) {
        const answer = await client.call('POST', `/v1/intents/${id}/${call}`, { json });
        expect(answer.status, call).toBe(413);
      }
      expect(await client.eventTypes(id)).toEqual(['created', 'submitted']);
      const fitting = { a: 'a'.repeat(131_072 - 8) };
      const end = { status: 'COMPLETED', result: fitting };
      await client.post(`/v1/intents/${id}/resolve`, end);
      expect(await client.intent(id)).toMatchObject({ result: fitting });
    });

    it('answers 409 to a second end, and nothing follows the first', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create();
      await client.post(`/v1/intents/${id}/resolve`, { status: 'COMPLETED' });
      for (const call of ['resolve', 'resume', 'controls', 'policy']) {
        const json = { status: 'FAILED', controls_patch: {} };
        const answer = await client.call('POST', `/v1/intents/${id}/${call}`, { json });
        expect(answer.status, call).toBe(409);
      }
      expect(await client.eventTypes(id)).toEqual(['created', 'submitted', 'completed']);
    });

    it('ends exactly once when many resolve at once', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create();
      const answers = await Promise.all(
        ['COMPLETED', 'FAILED', 'CANCELED', 'COMPLETED', 'FAILED'].map((status) =>
          client.call('POST', `/v1/intents/${id}/resolve`, { json: { status } }),
        ),
      );
      const statuses = answers.map((answer) => answer.status);
      expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409, 409]);
    });
  });

  describe('resume (§4.6)', () => {
    it('with control keys or {} goes on, and does not end', async () => {
      const client = (await harness.serve()).client();
      for (const body of [
        {},
        { approve_current_step: true, actor: 'agent://a/b/c', reason: 'go' },
      ]) {
        const id = await client.create();
        const answer = await client.post(`/v1/intents/${id}/resume`, body);
        expect(answer).toMatchObject({
          ok: true,
          applied: true,
          policy_generation: expect.any(Number),
          intent: { status: 'IN_PROGRESS' },
          event: { event_type: 'intent.in_progress' },
        });
      }
    });

    it('with approve_current_step false changes nothing outside a step that waits', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create();
      const body = { approve_current_step: false };
      expect(await client.post(`/v1/intents/${id}/resume`, body)).toMatchObject({ applied: false });
      expect(await client.eventTypes(id)).toEqual(['created', 'submitted']);
    });

    it('with anything else is the result, after intent.in_progress', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create();
      const body = { action: 'complete', report_url: 'https://x/r.pdf' };
      const answer = await client.post(`/v1/intents/${id}/resume`, body);
      expect(answer).toMatchObject({ applied: true, event: { event_type: 'intent.completed' } });
      expect(await client.intent(id)).toMatchObject({ status: 'COMPLETED', result: body });
      expect(await client.eventTypes(id)).toEqual([
        'created',
        'submitted',
        'in_progress',
        'completed',
      ]);
    });

    it('with a negative action or outcome fails, with the body as the error', async () => {
      const client = (await harness.serve()).client();
      for (const action of ['fail', 'failed', 'error', 'reject', 'rejected']) {
        const id = await client.create();
        await client.post(`/v1/intents/${id}/resume`, { action, why: 'disk full' });
        expect(await client.intent(id)).toMatchObject({
          status: 'FAILED',
          error: { action, why: 'disk full' },
        });
      }
      const id = await client.create();
      await client.post(`/v1/intents/${id}/resume`, { outcome: 'rejected' });
      expect((await client.intent(id))['status']).toBe('FAILED');
    });

    it('with a stale policy generation is answered 200 and not applied (§11.11)', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create();
      const patched = await client.post(`/v1/intents/${id}/controls`, {
        controls_patch: { timeout_seconds: 30 },
      });
      const stale = { expected_policy_generation: Number(patched['policy_generation']) - 1 };
      const expected = {
        ok: true,
        applied: false,
        reason: 'stale_policy_generation',
        policy_generation: patched['policy_generation'],
      };
      expect(await client.post(`/v1/intents/${id}/resume`, stale)).toEqual(expected);
      const end = { status: 'COMPLETED', ...stale };
      expect(await client.post(`/v1/intents/${id}/resolve`, end)).toEqual(expected);
      const now = { expected_policy_generation: patched['policy_generation'] };
      expect(await client.post(`/v1/intents/${id}/resume`, now)).toMatchObject({ applied: true });
    });
  });

  describe('controls and policy (§4.7)', () => {
    it('raise the generation each time', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create();
      const generations: number[] = [];
      for (const [call, body] of [
        ['controls', { controls_patch: { own: 1 }, actor: 'agent://a/b/c', reason: 'why' }],
        ['policy', { grants_patch: { 'delegate:agent://ops': { allow: ['resume'] } } }],
        ['policy', { envelope_patch: { max_retry_count: 2 } }],
      ] as const) {
        const answer = await client.post(`/v1/intents/${id}/${call}`, body);
        expect(answer).toMatchObject({ ok: true, applied: true });
        generations.push(Number(answer['policy_generation']));
      }
      expect(generations).toEqual([2, 3, 4]);
    });
  });

  describe('bulk-cancel (§8)', () => {
    it('counts by default, and cancels with dry_run false', async () => {
      const client = (await harness.serve()).client();
      const one = await client.create();
      await nextMillisecond();
      const two = await client.create();
      const body = { older_than_hours: 0 };
      expect(await client.post('/v1/intents/bulk-cancel', body)).toMatchObject({
        dry_run: true,
        would_cancel: 2,
        intent_ids: [two, one],
      });
      expect((await client.intent(one))['status']).toBe('SUBMITTED');
      const really = { ...body, dry_run: false, reason: 'cleanup', limit: 1 };
      expect(await client.post('/v1/intents/bulk-cancel', really)).toMatchObject({ canceled: 1 });
      expect((await client.intent(two))['status']).toBe('CANCELED');
      expect(await client.post('/v1/intents/bulk-cancel', {})).toMatchObject({ would_cancel: 0 });
    });
  });
}
