import { agentOf, type AxpIntent, type IntentState } from '../intents/intent-state.ts';
import { addressKey, type HomeAddress } from '../addresses/address.ts';
import { compact, instant, isObject, type JsonObject } from '../http/json.ts';
import { Draft } from '../lifecycle/draft.ts';
import { nextOf, type Scenario } from './bundle.ts';
import type { Step } from './step.ts';

/** Where a scenario is. Its form is that of the wire, as a part of the intent shows it. */
export interface Workflow {
  readonly current: string;
  /** The intent of the agent's step that it is at. */
  readonly child_id: string | null;
  /** Which run of the step it is, from 1. */
  readonly runs: number;
  /** Whether the step is to be begun again when the time has come. */
  readonly retries: boolean;
  /** How many steps were begun, so that a circle ends. */
  readonly visits: number;
  readonly previous: JsonObject | null;
  readonly steps: readonly JsonObject[];
  /** What a person has answered. */
  readonly answer?: { readonly is_yes: boolean; readonly value: JsonObject };
}

/** How a step ended. */
export interface StepEnd {
  readonly isGood: boolean;
  readonly result: JsonObject;
  readonly isLate?: boolean;
}

/** What is needed to move a scenario on. */
export interface Moving {
  readonly intent: AxpIntent;
  readonly scenario: Scenario;
  readonly home: HomeAddress;
  readonly now: number;
  /** The id of the next step's intent, should it need one. */
  readonly childId: string;
}

/** How often a step of an agent is looked at without a wake-up, in ms. */
const LOOK_MS = 15_000;
/** The most steps that a scenario begins. */
const MAX_VISITS = 1_000;

/** The scenario is taken up, and its first step begins. */
export function beginScenario(moving: Moving): Draft {
  const { intent, scenario, now } = moving;
  const core = { type: 'internal', ref: 'agent_core', name: 'agent_core' } as const;
  const draft = new Draft(intent, now).patch({ pendingWith: core }).event('delivered', 'DELIVERED');
  const steps = scenario.steps.map((step) =>
    compact({ step_id: step.id, status: 'PENDING', assigned_to: step.assignedTo }),
  );
  const workflow = {
    current: '',
    child_id: null,
    runs: 0,
    retries: false,
    visits: 0,
    previous: null,
  };
  return enter(moving, draft, { ...workflow, steps }, scenario.entry);
}

/** A step has ended: the scenario goes on, or ends. */
export function endStep(moving: Moving, workflow: Workflow, step: Step, end: StepEnd): Draft {
  const { intent, scenario, now } = moving;
  const status = end.isGood ? 'COMPLETED' : end.isLate === true ? 'TIMED_OUT' : 'FAILED';
  const { answer: _answer, ...left } = workflow;
  const marked = { ...left, child_id: null, steps: mark(workflow, step.id, { status }) };
  const draft = new Draft(intent, now).patch({ humanTask: null, wakeAt: null });
  if (step.kind === 'human' && step.remindAfterMs !== null) draft.patch({ remindAt: null });
  if (end.isLate === true) draft.event('timeout', draft.status, { details: { step_id: step.id } });
  if (!end.isGood && workflow.runs <= step.maxRetries) {
    const at = now + step.retryDelayMs;
    return draft
      .patch({ workflow: { ...marked, retries: true }, wakeAt: at })
      .wait('WAITING_FOR_TIME', null, { details: { step_id: step.id, resume_at: instant(at) } });
  }
  const next = nextOf(scenario, step, end.isGood);
  const previous = end.isGood ? end.result : marked.previous;
  if (next === 'failed') {
    return draft.patch({ workflow: marked }).end('FAILED', { error: end.result }, 'gateway');
  }
  if (draft.status !== 'IN_PROGRESS') {
    draft
      .patch({ pendingWith: null })
      .event('in_progress', 'IN_PROGRESS', { details: { step_id: step.id } });
  }
  if (next === 'completed') {
    return draft.patch({ workflow: marked }).end('COMPLETED', { result: end.result }, 'gateway');
  }
  return enter(moving, draft, { ...marked, previous, runs: 0 }, next.step);
}

/** A step begins, once more when it has failed before. */
export function enter(moving: Moving, draft: Draft, workflow: Workflow, stepId: string): Draft {
  const { scenario, now, childId, home } = moving;
  const step = scenario.steps.find((one) => one.id === stepId);
  if (step === undefined || workflow.visits >= MAX_VISITS) {
    const message = `The scenario cannot go on at step ${stepId}.`;
    return draft.end('FAILED', { error: { code: 'workflow_invalid', message } }, 'gateway');
  }
  const begun = {
    ...workflow,
    current: step.id,
    retries: false,
    visits: workflow.visits + 1,
    runs: workflow.runs + 1,
  };
  const details = { step_id: step.id };
  if (step.kind === 'agent') {
    const address = step.assignedTo ?? '';
    const steps = mark(begun, step.id, { status: 'IN_PROGRESS', intent_id: childId });
    const pendingWith = agentOf(address, addressKey(address, home) ?? address);
    return draft
      .patch({ workflow: { ...begun, child_id: childId, steps }, wakeAt: now + LOOK_MS })
      .wait('WAITING_FOR_AGENT', pendingWith, { details });
  }
  const steps = mark(begun, step.id, { status: 'IN_PROGRESS' });
  draft.patch({ workflow: { ...begun, child_id: null, steps } });
  if (step.kind === 'human') return askHuman(moving, draft, step);
  if (step.kind === 'delay' || step.kind === 'timeout') {
    const at = now + step.delayMs;
    return draft
      .patch({ wakeAt: at })
      .wait('WAITING_FOR_TIME', null, { details: { ...details, resume_at: instant(at) } });
  }
  const types = {
    reminder: 'reminder',
    notification: 'notification',
    escalation: 'escalated',
  } as const;
  return draft
    .patch({ wakeAt: now })
    .event(types[step.kind], draft.status, { details: { ...details, ...step.config } });
}

function askHuman({ scenario, now }: Moving, draft: Draft, step: Step): Draft {
  const human = scenario.humans[step.assignedTo ?? ''];
  const contact = isObject(human) && typeof human['contact'] === 'string' ? human['contact'] : '';
  const ref = contact || (step.assignedTo ?? 'human');
  const humanTask = { title: scenario.title ?? step.id, ...step.humanTask };
  return draft
    .patch({
      humanTask,
      assignedAt: now,
      wakeAt: step.deadlineMs === null ? null : now + step.deadlineMs,
      ...remindingOf(step, now),
    })
    .wait('WAITING_FOR_HUMAN', { type: 'human', ref, name: ref }, { details: { step_id: step.id } })
    .event('human_task_assigned', 'WAITING', { humanTask, details: { human_task: humanTask } });
}

/** A step's own reminders take the place of the scenario's while it lasts. */
function remindingOf(step: Step, now: number): Partial<IntentState> {
  const afterMs = step.remindAfterMs ?? step.remindIntervalMs;
  if (afterMs === null) return {};
  const { remindIntervalMs: intervalMs, maxReminders: max, escalateTo } = step;
  return {
    reminders: 0,
    isEscalated: false,
    remindAt: now + afterMs,
    reminding: { afterMs: step.remindAfterMs, intervalMs, max, escalateTo },
  };
}

function mark(workflow: Pick<Workflow, 'steps'>, id: string, changes: JsonObject): JsonObject[] {
  return workflow.steps.map((step) => (step['step_id'] === id ? { ...step, ...changes } : step));
}
