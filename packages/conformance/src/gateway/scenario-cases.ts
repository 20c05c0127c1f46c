import { describe, expect, it } from 'vitest';
import { asJson, asList, type GatewayClient, type Json } from './gateway-client.ts';
import type { GatewayHarness, TestGateway } from './gateway-harness.ts';

const AGENT = 'agent://org/env/report-service';

/** A bundle of steps for one agent, and whatever else a test says. */
function bundle(steps: readonly Json[], other: Json = {}): Json {
  return {
    scenario_id: 'report-demo',
    title: 'Report',
    agents: [
      { role: 'reporter', address: AGENT, delivery_mode: 'stream', create_if_missing: true },
    ],
    humans: [{ role: 'boss', contact: 'boss@example.com', display_name: 'Boss' }],
    workflow: { steps },
    intent: { type: 'report.generate.v1', payload: { quarter: 'Q3' } },
    ...other,
  };
}

const STEP = { step_id: 'generate', tool_id: 'tool.agent.task.v1', assigned_to: 'reporter' };

/** The intent that the agent is sent next. */
async function nextStep(client: GatewayClient, address = AGENT, since = 0): Promise<Json> {
  const [frame] = await client.listen(address, since, 20);
  if (frame === undefined || frame.event === 'stream.timeout') throw new Error('Nothing came.');
  return frame.data;
}

async function apply(
  gateway: TestGateway,
  body: Json,
): Promise<{ client: GatewayClient; id: string }> {
  const client = gateway.client();
  return { client, id: String((await client.post('/v1/scenarios/apply', body))['intent_id']) };
}

/** Contract §5.2. */
export function scenarioCases(harness: GatewayHarness): void {
  describe('scenario validate (§5.2)', () => {
    it('is answered 200 also when the bundle is not valid', async () => {
      const client = (await harness.serve()).client();
      const good = await client.post('/v1/scenarios/validate', bundle([STEP]));
      expect(good).toMatchObject({ ok: true, valid: true, errors: [] });
      expect(good['warnings']).toHaveLength(1);
      const wrong: Json[] = [
        {},
        bundle([{ ...STEP, on_success: 'nowhere' }]),
        bundle([{ ...STEP, assigned_to: 'nobody' }]),
        bundle([STEP, STEP]),
        bundle([{ tool_id: 'x' }]),
        bundle([], { agents: [], intent: { type: 'a.b.v1' } }),
        bundle([STEP], { workflow: { macro_id: 'hosted', steps: [STEP] } }),
        bundle([STEP], { agents: Array.from({ length: 51 }, () => ({ address: AGENT })) }),
      ];
      for (const body of wrong) {
        const answer = await client.post('/v1/scenarios/validate', body);
        expect(answer, JSON.stringify(body).slice(0, 100)).toMatchObject({
          ok: true,
          valid: false,
        });
        expect((await client.call('POST', '/v1/scenarios/apply', { json: body })).status).toBe(422);
      }
    });

    it('takes what the command line makes of a file: empty texts, and less', async () => {
      const client = (await harness.serve()).client();
      const body = bundle([{ ...STEP, tool_id: '', on_success: '', on_failure: '' }], {
        humans: [{ role: 'boss', contact: '' }],
      });
      expect(await client.post('/v1/scenarios/validate', body)).toMatchObject({ valid: true });
    });
  });

  describe('scenario apply (§5.2)', () => {
    it('answers what protocol, SDKs and command line read, and makes the agents once', async () => {
      const client = (await harness.serve()).client();
      const answer = await client.post('/v1/scenarios/apply', bundle([STEP]));
      expect(answer).toEqual({
        ok: true,
        intent_id: expect.any(String),
        scenario_id: 'report-demo',
        status: 'WAITING',
        pending_with: AGENT,
        compile_id: expect.any(String),
        workflow_compile_id: answer['compile_id'],
        idempotent: false,
        agents: [{ role: 'reporter', address: AGENT, created: true }],
        agents_provisioned: [{ role: 'reporter', address: AGENT, created: true }],
        deadline_at: null,
        created_at: expect.any(String),
      });
      const again = await client.post('/v1/scenarios/apply', bundle([STEP]));
      expect(again['agents']).toEqual([{ role: 'reporter', address: AGENT, created: false }]);
      expect((await client.get(`/v1/agents/${AGENT.slice(8)}`))['agent']).toMatchObject({
        status: 'active',
      });
    });

    it('is idempotent by the key of its body or header', async () => {
      const client = (await harness.serve()).client();
      const body = bundle([STEP], { idempotency_key: 'apply-1' });
      const first = await client.post('/v1/scenarios/apply', body);
      const headers = { 'idempotency-key': 'apply-1' };
      const second = await client.post('/v1/scenarios/apply', body, { headers });
      expect(second).toMatchObject({
        intent_id: first['intent_id'],
        compile_id: first['compile_id'],
        idempotent: true,
      });
      const other = { ...body, title: 'Another' };
      expect((await client.call('POST', '/v1/scenarios/apply', { json: other })).status).toBe(409);
    });

    it('has the agent do the step, and ends with its result', async () => {
      const gateway = await harness.serve();
      const { client, id } = await apply(gateway, bundle([{ ...STEP, input: { pages: 3 } }]));
      const step = await nextStep(client);
      expect(step['payload']).toEqual({
        parent_intent_id: id,
        step_id: 'generate',
        parent_payload: { quarter: 'Q3' },
        step_input: { pages: 3 },
        previous_result: null,
      });
      expect(await client.intent(id)).toMatchObject({
        status: 'WAITING',
        lifecycle_waiting_reason: 'WAITING_FOR_AGENT',
        pending_with: { type: 'agent', ref: AGENT, name: 'report-service' },
        steps: [{ step_id: 'generate', status: 'IN_PROGRESS', intent_id: step['intent_id'] }],
      });
      const result = { action: 'complete', report_url: 'https://x/r.pdf' };
      await client.post(`/v1/intents/${String(step['intent_id'])}/resume`, result);
      expect(await client.intent(id)).toMatchObject({ status: 'COMPLETED', result });
      expect(await client.eventTypes(id)).toEqual([
        'created',
        'submitted',
        'delivered',
        'waiting',
        'in_progress',
        'completed',
      ]);
      expect((await client.events(id))[2]).toMatchObject({
        pending_with: { type: 'internal', ref: 'agent_core' },
      });
      expect(await client.eventTypes(String(step['intent_id']))).toEqual([
        'created',
        'submitted',
        'delivered',
        'in_progress',
        'completed',
      ]);
    });

    it('takes a resume of the parent for one of its step', async () => {
      const gateway = await harness.serve();
      const { client, id } = await apply(gateway, bundle([STEP]));
      const agent = await gateway.agent(AGENT);
      const step = String((await nextStep(agent))['intent_id']);
      await agent.post(`/v1/intents/${id}/resume`, { action: 'complete', n: 1 });
      expect(await client.intent(step)).toMatchObject({ status: 'COMPLETED', result: { n: 1 } });
      expect(await client.intent(id)).toMatchObject({ status: 'COMPLETED', result: { n: 1 } });
    });

    it('goes on from step to step with what the last one gave, by on_success and on_failure', async () => {
      const other = 'agent://org/env/mender';
      const gateway = await harness.serve();
      const steps = [
        { ...STEP, on_success: 'publish', on_failure: 'mend' },
        { step_id: 'mend', assigned_to: other, on_success: 'generate' },
        { step_id: 'publish', assigned_to: other },
      ];
      const { client, id } = await apply(gateway, bundle(steps));
      const done = async (step: Json, body: Json) =>
        client.post(`/v1/intents/${String(step['intent_id'])}/resume`, body);
      await done(await nextStep(client), { action: 'fail', why: 'no data' });
      const mend = await nextStep(client, other);
      expect(asJson(mend['payload'])['step_id']).toBe('mend');
      await done(mend, { action: 'complete', mended: true });
      const again = await nextStep(client);
      expect(asJson(again['payload'])['previous_result']).toEqual({
        action: 'complete',
        mended: true,
      });
      await done(again, { action: 'complete', url: 'u' });
      const publish = await nextStep(client, other);
      expect(asJson(publish['payload'])['step_id']).toBe('publish');
      await done(publish, { action: 'complete', published: true });
      expect(await client.intent(id)).toMatchObject({
        status: 'COMPLETED',
        result: { published: true },
        steps: [{ status: 'COMPLETED' }, { status: 'COMPLETED' }, { status: 'COMPLETED' }],
      });
    });

    it('tries a step again as its retry says, and then fails with its error', async () => {
      const gateway = await harness.serve();
      const retry = { max_retries: 1, retry_delay_seconds: 1 };
      const { client, id } = await apply(gateway, bundle([{ ...STEP, retry }]));
      let since = 0;
      for (const why of ['first', 'second']) {
        const step = await nextStep(client, AGENT, since);
        since = Number(step['seq']);
        await client.post(`/v1/intents/${String(step['intent_id'])}/resume`, {
          action: 'fail',
          why,
        });
      }
      expect(await client.intent(id)).toMatchObject({ status: 'FAILED', error: { why: 'second' } });
    });

    it('times a step out, with intent.timeout before intent.failed', async () => {
      const gateway = await harness.serve();
      const { client, id } = await apply(gateway, bundle([{ ...STEP, step_deadline_seconds: 1 }]));
      const step = await nextStep(client);
      await expect.poll(async () => (await client.intent(id))['status']).toBe('FAILED');
      expect((await client.intent(String(step['intent_id'])))['status']).toBe('TIMED_OUT');
      const types = await client.eventTypes(id);
      expect(types.slice(-2)).toEqual(['timeout', 'failed']);
      expect((await client.events(id)).at(-2)).toMatchObject({ status: 'WAITING' });
    });

    it('waits in a delay, and notes the other runtime steps', async () => {
      const gateway = await harness.serve();
      const steps = [
        { step_id: 'pause', runtime_type: 'delay', runtime_config: { seconds: 1 } },
        { step_id: 'tell', runtime_type: 'notification', runtime_config: { message: 'hello' } },
        { step_id: 'remind', runtime_type: 'reminder' },
        { step_id: 'escalate', runtime_type: 'escalation', escalate_to: 'agent://org/env/boss' },
      ];
      const { client, id } = await apply(gateway, bundle(steps));
      expect(await client.intent(id)).toMatchObject({
        lifecycle_waiting_reason: 'WAITING_FOR_TIME',
      });
      await expect.poll(async () => (await client.intent(id))['status']).toBe('COMPLETED');
      const types = await client.eventTypes(id);
      expect(
        types.filter((type) => ['notification', 'reminder', 'escalated'].includes(type)),
      ).toEqual(['notification', 'reminder', 'escalated']);
    });

    it('takes its step with it when it is canceled', async () => {
      const gateway = await harness.serve();
      const { client, id } = await apply(gateway, bundle([STEP]));
      const step = await nextStep(client);
      await client.post(`/v1/intents/${id}/resolve`, { status: 'CANCELED' });
      expect((await client.intent(String(step['intent_id'])))['status']).toBe('CANCELED');
    });

    it('survives a restart at every step', async () => {
      let gateway = await harness.serve();
      const steps = [STEP, { step_id: 'second', assigned_to: 'reporter' }];
      const { id } = await apply(gateway, bundle(steps));
      for (const name of ['generate', 'second']) {
        await gateway.stop();
        gateway = await harness.serve({ data: gateway.data });
        const step = await nextStep(gateway.client());
        expect(asJson(step['payload'])['step_id']).toBe(name);
        await gateway.stop();
        gateway = await harness.serve({ data: gateway.data });
        const path = `/v1/intents/${String(step['intent_id'])}/resume`;
        await gateway.client().post(path, { action: 'complete', name });
      }
      expect(await gateway.client().intent(id)).toMatchObject({
        status: 'COMPLETED',
        result: { name: 'second' },
      });
    });
  });

  describe('human tasks (§5.4)', () => {
    const task = {
      title: 'Sign off',
      task_type: 'approval',
      allowed_outcomes: ['approved', 'rejected'],
    };
    const human = {
      step_id: 'sign',
      tool_id: 'tool.approval.human_signoff',
      assigned_to: 'boss',
      human_task: task,
    };

    it('of a step wait for a person, who is listed with them, and go on with the answer', async () => {
      const gateway = await harness.serve();
      const { client, id } = await apply(gateway, bundle([human, STEP]));
      expect(await client.intent(id)).toMatchObject({
        status: 'WAITING',
        lifecycle_waiting_reason: 'WAITING_FOR_HUMAN',
        pending_with: { type: 'human', ref: 'boss@example.com' },
        human_task: task,
      });
      const assigned = (await client.events(id)).at(-1);
      expect(assigned).toMatchObject({
        event_type: 'intent.human_task_assigned',
        human_task: task,
      });
      expect((await client.get('/v1/me/tasks'))['tasks']).toEqual([
        {
          intent_id: id,
          intent_type: 'report.generate.v1',
          status: 'WAITING',
          assigned_at: expect.any(String),
          human_task: task,
        },
      ]);
      const answer = { task_result: { outcome: 'approved', comment: 'fine' } };
      await client.post(`/v1/intents/${id}/resume`, answer);
      expect((await client.get('/v1/me/tasks'))['tasks']).toEqual([]);
      const step = await nextStep(client);
      expect(step['payload']).toMatchObject({ previous_result: { outcome: 'approved' } });
    });

    it('fail the scenario with a no, unless on_failure says otherwise', async () => {
      const gateway = await harness.serve();
      const no = { task_result: { outcome: 'rejected' } };
      const first = await apply(gateway, bundle([human]));
      await first.client.post(`/v1/intents/${first.id}/resume`, no);
      expect((await first.client.intent(first.id))['status']).toBe('FAILED');
      const steps = [{ ...human, on_failure: 'generate' }, STEP];
      const second = await apply(gateway, bundle(steps));
      await second.client.post(`/v1/intents/${second.id}/resume`, no);
      expect(await second.client.intent(second.id)).toMatchObject({
        lifecycle_waiting_reason: 'WAITING_FOR_AGENT',
      });
    });

    it('may be approved and rejected by an admin without their form', async () => {
      const gateway = await harness.serve();
      for (const [approve, status] of [
        [true, 'COMPLETED'],
        [false, 'FAILED'],
      ] as const) {
        const { client, id } = await apply(gateway, bundle([human]));
        await client.post(`/v1/intents/${id}/resume`, { approve_current_step: approve });
        expect((await client.intent(id))['status']).toBe(status);
      }
    });

    it('of an intent of its own end it, default their title, and keep what they do not know', async () => {
      const client = (await harness.serve()).client();
      const id = await client.create({ human_task: { task_type: 'form', notify_email: 'a@b.c' } });
      expect(await client.intent(id)).toMatchObject({
        status: 'WAITING',
        human_task: { title: expect.any(String), task_type: 'form', notify_email: 'a@b.c' },
      });
      const late = { json: { action: 'complete' } };
      expect((await client.call('POST', `/v1/intents/${id}/resume`, late)).status).toBe(409);
      await client.post(`/v1/intents/${id}/resume`, {
        task_result: { outcome: 'submitted', n: '3' },
      });
      expect(await client.intent(id)).toMatchObject({
        status: 'COMPLETED',
        result: { outcome: 'submitted', n: '3' },
      });
      const answer = { json: { task_result: { outcome: 'x' } } };
      const other = await client.create();
      expect((await client.call('POST', `/v1/intents/${other}/resume`, answer)).status).toBe(409);
    });

    it('refuse answers that do not fit with 422, and take texts for what they say', async () => {
      const client = (await harness.serve()).client();
      const strict = {
        title: 'Form',
        allowed_outcomes: ['approved', 'rejected'],
        required_comment: true,
        evidence_required: true,
        form_schema: {
          type: 'object',
          required: ['amount', 'approved'],
          properties: {
            amount: { type: 'integer' },
            approved: { type: 'boolean' },
            color: { type: 'string', enum: ['red', 'blue'] },
          },
        },
      };
      const id = await client.create({ human_task: strict });
      const good = { outcome: 'approved', comment: 'ok', data: { evidence: 'e', amount: '3' } };
      const wrong: Json[] = [
        { ...good, outcome: 'maybe' },
        { ...good, outcome: undefined },
        { ...good, comment: ' ' },
        { ...good, data: { amount: '3' } },
        { ...good, data: { evidence: 'e' } },
        { ...good, data: { evidence: 'e', amount: 'three' } },
        { ...good, color: 'green' },
      ];
      for (const task_result of wrong) {
        const answer = await client.call('POST', `/v1/intents/${id}/resume`, {
          json: { task_result },
        });
        expect(answer.status, JSON.stringify(task_result)).toBe(422);
      }
      await client.post(`/v1/intents/${id}/resume`, { task_result: good });
      expect((await client.intent(id))['status']).toBe('COMPLETED');
      expect(asList((await client.get('/v1/me/tasks'))['tasks'])).toEqual([]);
    });
  });
}
