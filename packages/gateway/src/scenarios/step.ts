import { addressKey, type HomeAddress } from '../addresses/address.ts';
import { isObject, type JsonObject } from '../http/json.ts';
import type { Cast, Findings } from './bundle.ts';

/** A step of a scenario, as it is stored. */
export interface Step {
  readonly id: string;
  readonly kind:
    | 'agent'
    | 'human'
    | 'delay'
    | 'timeout'
    | 'reminder'
    | 'notification'
    | 'escalation';
  /** Whom it is for, as the bundle says; an address for agents. */
  readonly assignedTo: string | null;
  readonly deadlineMs: number | null;
  readonly input: JsonObject;
  readonly onSuccess: string | null;
  readonly onFailure: string | null;
  readonly humanTask: JsonObject | null;
  readonly maxRetries: number;
  readonly retryDelayMs: number;
  readonly remindAfterMs: number | null;
  readonly remindIntervalMs: number | null;
  readonly maxReminders: number | null;
  readonly escalateTo: string | null;
  /** How long a step waits that does nothing else. */
  readonly delayMs: number;
  readonly config: JsonObject;
}

const HUMAN_TOOLS = new Set(['tool.approval.human_signoff', 'tool.notification.notify_owner']);
const RUNTIME = ['delay', 'timeout', 'reminder', 'notification', 'escalation'] as const;
const LONGEST_S = 366 * 24 * 3_600;

/** Reads a step; null when there is something wrong with it. */
export function parseStep(
  given: JsonObject,
  path: string,
  cast: Cast,
  home: HomeAddress,
  { errors }: Findings,
): Step | null {
  const before = errors.length;
  const seconds = (of: JsonObject, name: string): number | null => {
    const value = of[name];
    if (value === undefined || value === null || value === 0) return null;
    if (typeof value === 'number' && value > 0 && value <= LONGEST_S) return value * 1_000;
    errors.push(`${path}.${name} must be a number of seconds`);
    return null;
  };
  const id = text(given['step_id']);
  if (id === null || id.length > 255) errors.push(`${path}.step_id is required`);
  const config = isObject(given['runtime_config']) ? given['runtime_config'] : {};
  const retry = isObject(given['retry']) ? given['retry'] : {};
  const kind = kindOf(given, cast);
  if (kind === null) errors.push(`${path}.runtime_type is not known`);
  const assignedTo = assigneeOf(given, kind, cast);
  if (kind === 'agent' && (assignedTo === null || addressKey(assignedTo, home) === null)) {
    errors.push(`${path}.assigned_to names no agent`);
  }
  const maxRetries = retry['max_retries'];
  const step: Step = {
    id: id ?? '',
    kind: kind ?? 'agent',
    assignedTo,
    deadlineMs: seconds(given, 'step_deadline_seconds'),
    input: isObject(given['input']) ? given['input'] : {},
    onSuccess: text(given['on_success']),
    onFailure: text(given['on_failure']),
    humanTask: isObject(given['human_task']) ? given['human_task'] : null,
    maxRetries: typeof maxRetries === 'number' ? Math.min(100, Math.max(0, maxRetries)) : 0,
    retryDelayMs: seconds(retry, 'retry_delay_seconds') ?? 0,
    remindAfterMs: seconds(given, 'remind_after_seconds'),
    remindIntervalMs: seconds(given, 'remind_interval_seconds'),
    maxReminders: typeof given['max_reminders'] === 'number' ? given['max_reminders'] : null,
    escalateTo: text(given['escalate_to']) ?? text(config['escalate_to']),
    delayMs:
      seconds(config, 'seconds') ??
      seconds(config, 'delay_seconds') ??
      seconds(config, 'duration_seconds') ??
      seconds(config, 'timeout_seconds') ??
      0,
    config,
  };
  return errors.length > before ? null : step;
}

function kindOf(given: JsonObject, { humans }: Cast): Step['kind'] | null {
  const type = text(given['runtime_type']);
  if (type === 'human_approval') return 'human';
  if (type !== null) return RUNTIME.find((one) => one === type) ?? null;
  const isHuman =
    given['requires_approval'] === true ||
    isObject(given['human_task']) ||
    HUMAN_TOOLS.has(text(given['tool_id']) ?? '') ||
    Object.hasOwn(humans, text(given['assigned_to']) ?? '');
  return isHuman ? 'human' : 'agent';
}

function assigneeOf(given: JsonObject, kind: Step['kind'] | null, { agents }: Cast): string | null {
  const assigned = text(given['assigned_to']);
  if (kind !== 'agent') return assigned;
  if (assigned === null) return Object.values(agents)[0] ?? null;
  if (Object.hasOwn(agents, assigned)) return agents[assigned] ?? null;
  // A role that nobody has is a slip; what looks like an address is one.
  return assigned.includes('/') ? assigned : null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
