import type { FullReply } from '@durable-api/core';
import type { GatewayCore } from '../gateway-core.ts';
import { AxpError } from '../http/errors.ts';
import type { JsonObject } from '../http/json.ts';
import type { GatewayRequest } from '../http/route.ts';
import type { Draft } from '../lifecycle/draft.ts';
import { finish, goOn } from '../lifecycle/ending.ts';
import { answerTask, approveTask } from '../tasks/answer-task.ts';
import { advance } from '../scenarios/advance.ts';
import { currentStep } from '../scenarios/current-step.ts';
import { actorOf } from './actor.ts';
import { changeForCall } from './change-call.ts';
import { findIntent } from './find-intent.ts';
import type { AxpIntent } from './intent-state.ts';
import type { Changed } from './intent-store.ts';
import { checkPayloadSize } from './parse-envelope.ts';
import { lastEvent } from './resolve-intent.ts';
import { intentWire } from './wire.ts';

/** A body of nothing else asks to go on, not that the work is done. */
const CONTROL_FIELDS = new Set([
  'approve_current_step',
  'actor',
  'reason',
  'approved_by',
  'expected_policy_generation',
  'internal_scheduler',
  'owner_agent',
]);
const NEGATIVE = new Set(['fail', 'failed', 'error', 'reject', 'rejected']);

/** `POST /v1/intents/{id}/resume`: whoever was waited for answers a task, goes on, or hands in a result. */
export async function resumeIntent(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const asked = await findIntent(core, request, 'resume');
  const { body } = request;
  const kind = kindOf(body);
  // The id of a scenario stands for the step that it is at.
  const intent = kind === 'result' ? await currentStep(core, asked) : asked;
  const actor = actorOf(request);
  const now = core.ledger.now();
  if (kind === 'result') checkPayloadSize(body);
  const reply = await changeForCall(core, request, intent, {
    endpoint: `/v1/intents/${asked.record.id}/resume`,
    change: (current) => {
      if (kind === 'task') return answerTask(current, body, actor, now);
      if (kind === 'control') return control(current, body, actor, now);
      return handIn(current, body, actor, now);
    },
    answer: (changed) => resumed(changed),
    unchanged: ({ record, state, envelope, answers }) => ({
      ok: true,
      applied: false,
      policy_generation: state.policyGeneration,
      intent: intentWire({ record, state, envelope, answers }),
    }),
  });
  if (kind !== 'result' && intent.envelope.scenario !== null) await advance(core, intent.record.id);
  return reply;
}

function kindOf(body: JsonObject): 'task' | 'control' | 'result' {
  if ('task_result' in body) return 'task';
  if ('approve_current_step' in body) return 'control';
  return Object.keys(body).every((name) => CONTROL_FIELDS.has(name)) ? 'control' : 'result';
}

function resumed(changed: Changed): JsonObject {
  return {
    ok: true,
    applied: true,
    policy_generation: changed.intent.state.policyGeneration,
    intent: intentWire(changed.intent),
    event: lastEvent(changed),
  };
}

function control(intent: AxpIntent, body: JsonObject, actor: string, now: number): Draft | null {
  const isApproved = body['approve_current_step'] !== false;
  if (intent.record.waitingReason === 'WAITING_FOR_HUMAN') {
    return approveTask(intent, isApproved, body, actor, now);
  }
  return isApproved ? goOn(intent, actor, now, true) : null;
}

function handIn(intent: AxpIntent, body: JsonObject, actor: string, now: number): Draft {
  if (intent.record.waitingReason === 'WAITING_FOR_HUMAN') {
    const message = 'The intent waits for a person; answer its task with task_result.';
    throw new AxpError(409, 'waiting_for_human', message);
  }
  const { expected_policy_generation: _generation, owner_agent: _owner, ...result } = body;
  const said = result['action'] ?? result['outcome'];
  const isBad = typeof said === 'string' && NEGATIVE.has(said.toLowerCase());
  return finish(intent, isBad ? { error: result } : { result }, actor, now);
}
