import { isTerminal } from '@durable-api/protocol';
import { addressKey } from '../addresses/address.ts';
import { handOn } from '../agents/hand-on.ts';
import type { GatewayCore } from '../gateway-core.ts';
import { isObject, type JsonObject } from '../http/json.ts';
import type { Envelope } from '../intents/envelope.ts';
import type { AxpIntent } from '../intents/intent-state.ts';
import { Draft } from '../lifecycle/draft.ts';
import { resolve } from '../lifecycle/ending.ts';
import { noteTask } from '../tasks/task-list.ts';
import type { Scenario } from './bundle.ts';
import type { Step } from './step.ts';
import {
  beginScenario,
  endStep,
  enter,
  type Moving,
  type StepEnd,
  type Workflow,
} from './workflow.ts';

/** More changes than one call of {@link advance} can make: those of a scenario are bounded by its visits. */
const MAX_MOVES = 5_000;

/**
 * Moves a scenario on as far as it can go now: after its creation, the end of a step's intent, an answer, or
 * when it is due. Any number of processes may do so at once.
 */
export async function advance(core: GatewayCore, id: string): Promise<void> {
  for (let moves = 0; moves < MAX_MOVES; moves += 1) {
    const [intent] = await core.store.find([id]);
    const scenario = intent?.envelope.scenario;
    if (intent === null || intent === undefined || !isScenario(scenario)) return;
    const workflow = workflowOf(intent);
    const [child = null] = await core.store.find(
      typeof workflow?.child_id === 'string' ? [workflow.child_id] : [],
    );
    if (isTerminal(intent.record.status)) return cancelStep(core, child);
    const now = core.ledger.now();
    const moving = { intent, scenario, home: core.home, now, childId: core.ledger.newId() };
    const draft = workflow === null ? beginScenario(moving) : move(moving, workflow, child);
    if (draft === null) {
      if (workflow !== null && child === null) await beginStep(core, intent, scenario, workflow);
      return;
    }
    // Before it waits, so that no task is missing from the list.
    if (draft.record.waitingReason === 'WAITING_FOR_HUMAN') await noteTask(core, id);
    // What others have changed meanwhile is looked at first.
    await core.store.change(intent, (one) => (one.record.seq === intent.record.seq ? draft : null));
  }
}

/** Whether a stored value is a scenario: it is when this gateway wrote it. */
function isScenario(value: JsonObject | null | undefined): value is JsonObject & Scenario {
  return isObject(value) && Array.isArray(value['steps']) && typeof value['entry'] === 'string';
}

function workflowOf({ state }: AxpIntent): Workflow | null {
  const { workflow } = state;
  // Written by `workflow.ts` only.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return workflow === null ? null : (workflow as unknown as Workflow);
}

/** The next change; null when there is nothing to do but wait. */
function move(moving: Moving, workflow: Workflow, child: AxpIntent | null): Draft | null {
  const { intent, scenario, now } = moving;
  const step = scenario.steps.find((one) => one.id === workflow.current);
  if (step === undefined) return null;
  const isDue = intent.state.wakeAt !== null && intent.state.wakeAt <= now;
  if (workflow.retries) {
    if (!isDue) return null;
    return enter(moving, new Draft(intent, now), workflow, step.id);
  }
  const end = endOf(step, workflow, child, isDue);
  return end === null ? null : endStep(moving, workflow, step, end);
}

function endOf(
  step: Step,
  { answer }: Workflow,
  child: AxpIntent | null,
  isDue: boolean,
): StepEnd | null {
  switch (step.kind) {
    case 'agent':
      return child === null ? null : endOfChild(child);
    case 'human':
      if (answer !== undefined) return { isGood: answer.is_yes, result: answer.value };
      return isDue ? { isGood: false, isLate: true, result: lateError(step) } : null;
    case 'timeout':
      return isDue ? { isGood: false, isLate: true, result: lateError(step) } : null;
    default:
      return isDue ? { isGood: true, result: {} } : null;
  }
}

function endOfChild({ record, state }: AxpIntent): StepEnd | null {
  if (!isTerminal(record.status)) return null;
  const { result = {}, error, reason = record.status } = state.outcome ?? {};
  if (record.status === 'COMPLETED') return { isGood: true, result };
  const message = `The step’s intent ended as ${record.status}: ${reason}`;
  const isLate = record.status === 'TIMED_OUT';
  return { isGood: false, isLate, result: error ?? { code: record.status.toLowerCase(), message } };
}

function lateError({ id }: Step): JsonObject {
  return { code: 'step_timed_out', message: `Step ${id} was not done in time.` };
}

/** The intent of an agent's step; if it is there already, it is as it was. */
async function beginStep(
  core: GatewayCore,
  parent: AxpIntent,
  scenario: Scenario,
  workflow: Workflow,
): Promise<void> {
  const step = scenario.steps.find((one) => one.id === workflow.current);
  if (step?.kind !== 'agent' || workflow.child_id === null) return;
  const { envelope, record } = parent;
  const toAgent = step.assignedTo ?? '';
  const isReminding = step.remindAfterMs !== null || step.remindIntervalMs !== null;
  const child: Envelope = {
    ...envelope,
    toAgent,
    to: addressKey(toAgent, core.home) ?? toAgent,
    replyTo: null,
    payload: {
      parent_intent_id: record.id,
      step_id: step.id,
      parent_payload: envelope.payload,
      step_input: step.input,
      previous_result: workflow.previous,
    },
    reminding: isReminding
      ? {
          afterMs: step.remindAfterMs,
          intervalMs: step.remindIntervalMs,
          max: step.maxReminders,
          escalateTo: step.escalateTo,
        }
      : null,
    humanTask: null,
    scenario: null,
    origin: { kind: 'scenario', intentId: record.id, stepId: step.id },
  };
  const deadlineAt = step.deadlineMs === null ? null : core.ledger.now() + step.deadlineMs;
  const options = { id: workflow.child_id, deadlineAt, idempotency: null };
  const created = await core.store.create(child, options);
  if (created.isNew) await handOn(core, created.record, created.envelope);
}

/** A scenario that has ended wants nothing more of its agents. */
async function cancelStep(core: GatewayCore, child: AxpIntent | null): Promise<void> {
  if (child === null) return;
  await core.store.change(child, (one) =>
    isTerminal(one.record.status)
      ? null
      : resolve(
          one,
          'CANCELED',
          { reason: 'The scenario has ended.' },
          'gateway',
          core.ledger.now(),
        ),
  );
}
