import { addressKey, type HomeAddress } from '../addresses/address.ts';
import { isObject, type JsonObject } from '../http/json.ts';
import { parseStep, type Step } from './step.ts';

/** Who a bundle names, by their roles. */
export interface Cast {
  /** Addresses of agents as they were written. */
  readonly agents: Readonly<Record<string, string>>;
  readonly humans: Readonly<Record<string, JsonObject>>;
}

/** A scenario as it is stored with its intent. */
export interface Scenario extends Cast {
  readonly scenario_id: string;
  readonly compile_id: string;
  readonly title: string | null;
  readonly entry: string;
  readonly steps: readonly Step[];
}

/** What was found in a bundle. */
export interface Findings {
  readonly errors: string[];
  readonly warnings: string[];
}

const MAX = { agents: 50, humans: 20, steps: 100 } as const;
/** Names that a step may go on to beside steps: the end, well or badly. */
const GOOD_ENDS = new Set(['end', 'complete', 'completed', 'done', 'finish', 'success']);
const BAD_ENDS = new Set(['fail', 'failed', 'abort', 'error']);

/** Where a scenario goes on: at a step, or at its end. */
export type Next = { readonly step: string } | 'completed' | 'failed';

/** Reads a bundle; what is wrong with it is said in `findings`, and then there is no scenario. */
export function readBundle(
  bundle: JsonObject,
  compileId: string,
  home: HomeAddress,
): { readonly scenario: Scenario | null; readonly findings: Findings } {
  const findings: Findings = { errors: [], warnings: [] };
  const { errors, warnings } = findings;
  const id = bundle['scenario_id'];
  if (typeof id !== 'string' || id === '') errors.push('scenario_id is required');
  else if (id.length > 255) errors.push('scenario_id has more than 255 characters');
  else if (!/^[a-z0-9_.]+$/.test(id))
    warnings.push('scenario_id should have a-z, 0-9, "_" and "."');
  const intent = isObject(bundle['intent']) ? bundle['intent'] : {};
  const type = intent['type'];
  if (typeof type !== 'string' || type === '') errors.push('intent.type is required');
  const cast = readCast(bundle, home, findings);
  const workflow = isObject(bundle['workflow']) ? bundle['workflow'] : {};
  if (text(workflow['macro_id']) !== null) {
    errors.push('workflow.macro_id names a hosted template, which there is none of here');
  }
  const steps = readSteps(workflow, intent, cast, home, findings);
  checkLinks(steps, workflow, findings);
  const [first] = steps;
  if (first === undefined) errors.push('there is no workflow step, agent or human task');
  if (errors.length > 0 || first === undefined) return { scenario: null, findings };
  const scenario: Scenario = {
    ...cast,
    scenario_id: String(id),
    compile_id: compileId,
    title: text(bundle['title']),
    entry: text(workflow['entry_step']) ?? first.id,
    steps,
  };
  return { scenario, findings };
}

/** Where a scenario goes on after a step. */
export function nextOf({ steps }: Pick<Scenario, 'steps'>, step: Step, isGood: boolean): Next {
  const named = isGood ? step.onSuccess : step.onFailure;
  if (named !== null) {
    if (steps.some((one) => one.id === named)) return { step: named };
    return BAD_ENDS.has(named) ? 'failed' : 'completed';
  }
  if (!isGood) return 'failed';
  // Where steps say what follows them, those that do not are the last; else the next of the list follows.
  if (steps.some((one) => one.onSuccess !== null)) return 'completed';
  const detours = new Set(steps.map((one) => one.onFailure));
  const at = steps.findIndex((one) => one.id === step.id);
  const next = steps.slice(at + 1).find((one) => !detours.has(one.id));
  return next === undefined ? 'completed' : { step: next.id };
}

/** A text that says something; command lines send empty ones for what they have not. */
export function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function readCast(bundle: JsonObject, home: HomeAddress, { errors, warnings }: Findings): Cast {
  const agents: Record<string, string> = {};
  const humans: Record<string, JsonObject> = {};
  for (const [i, agent] of listOf(bundle, 'agents', errors).entries()) {
    const [role, address] = [text(agent['role']), text(agent['address'])];
    if (address === null) errors.push(`agents[${i}].address is required`);
    else if (addressKey(address, home) === null) errors.push(`agents[${i}].address is no address`);
    else agents[role ?? address] = address;
    if (role === null) warnings.push(`agents[${i}] has no role`);
  }
  for (const [i, human] of listOf(bundle, 'humans', errors).entries()) {
    const role = text(human['role']);
    if (role === null) errors.push(`humans[${i}].role is required`);
    else humans[role] = human;
    if (text(human['contact']) === null) warnings.push(`humans[${i}] has no contact`);
  }
  return { agents, humans };
}

function readSteps(
  workflow: JsonObject,
  intent: JsonObject,
  cast: Cast,
  home: HomeAddress,
  findings: Findings,
): Step[] {
  const given = listOf(workflow, 'steps', findings.errors);
  if (given.length > 0) {
    return given.flatMap(
      (step, i) => parseStep(step, `workflow.steps[${i}]`, cast, home, findings) ?? [],
    );
  }
  const human_task = isObject(intent['human_task']) ? intent['human_task'] : undefined;
  const [assigned_to] = Object.keys(cast.agents);
  if (human_task === undefined && assigned_to === undefined) return [];
  const only = {
    step_id: 'main',
    ...(human_task === undefined ? { assigned_to } : { human_task }),
  };
  return [parseStep(only, 'intent', cast, home, findings)].filter((step) => step !== null);
}

function checkLinks(steps: readonly Step[], workflow: JsonObject, { errors }: Findings): void {
  const ids = new Set<string>();
  for (const { id } of steps) {
    if (ids.has(id)) errors.push(`two steps are called ${id}`);
    ids.add(id);
  }
  const isKnown = (name: string): boolean =>
    ids.has(name) || GOOD_ENDS.has(name) || BAD_ENDS.has(name);
  for (const { id, onSuccess, onFailure } of steps) {
    for (const name of [onSuccess, onFailure]) {
      if (name !== null && !isKnown(name))
        errors.push(`step ${id} goes on to ${name}, which is none`);
    }
  }
  const entry = text(workflow['entry_step']);
  if (entry !== null && !ids.has(entry)) errors.push(`entry_step ${entry} is no step`);
}

function listOf(of: JsonObject, name: keyof typeof MAX, errors: string[]): readonly JsonObject[] {
  const list: unknown = of[name];
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list) || !list.every(isObject)) {
    errors.push(`${name} must be a list of objects`);
    return [];
  }
  if (list.length > MAX[name]) errors.push(`there are more than ${MAX[name]} ${name}`);
  return list.slice(0, MAX[name]);
}
