import { FOREVER_AT, WAITING_REASONS } from '@durable-api/protocol';
import type { WaitOptions } from '../engine/operation.ts';
import { HandlerFault } from '../handler-fault.ts';
import { isSignalName } from './signals.ts';

/** The shortest time between two reminders, in ms. */
const MIN_REMIND_MS = 1_000;
/** The longest description of a task, in bytes of JSON. */
const MAX_TASK_BYTES = 16_384;

/** When a sleep that begins at `now` ends. @throws HandlerFault `sleep_invalid` */
export function sleepUntil(duration: unknown, now: number): number {
  const until = duration instanceof Date ? duration.getTime() : now + Number(duration);
  const isDuration = duration instanceof Date || (typeof duration === 'number' && duration >= 0);
  if (isDuration && until < FOREVER_AT) return Math.ceil(until);
  const message =
    'sleep() takes a duration in ms that is not negative, or a Date before the year 9999.';
  throw new HandlerFault('sleep_invalid', message);
}

/** @throws HandlerFault `sleep_invalid` */
export function checkPauseName(name: unknown): void {
  if (typeof name === 'string' && /^(?!\d+$)[^\p{Cc}\p{Cs}]{1,200}$/u.test(name)) return;
  const message =
    'The name of a sleep has 1 to 200 characters without control characters, and is no number.';
  throw new HandlerFault('sleep_invalid', message);
}

/** @throws HandlerFault `wait_invalid` naming what is wrong */
export function checkWait(name: unknown, options: WaitOptions): void {
  if (!isSignalName(name)) {
    throw invalid(
      'The name of a signal has 1 to 100 letters, digits and "._~-", and begins with a letter or digit.',
    );
  }
  const { timeoutMs, reason, schema, task, remindEveryMs, escalateAfterMs } = options;
  for (const [option, ms, least] of [
    ['timeoutMs', timeoutMs, 0],
    ['remindEveryMs', remindEveryMs, MIN_REMIND_MS],
    ['escalateAfterMs', escalateAfterMs, 0],
  ] as const) {
    if (ms === undefined || (Number.isInteger(ms) && ms >= least && ms < FOREVER_AT / 2)) continue;
    throw invalid(`waitFor("${name}") takes ${option} as a whole number of ms, at least ${least}.`);
  }
  if (reason !== undefined && !WAITING_REASONS.includes(reason)) {
    throw invalid(`The reason of waitFor("${name}") is one of ${WAITING_REASONS.join(', ')}.`);
  }
  if (schema !== undefined && typeof schema['~standard']?.validate !== 'function') {
    throw invalid(
      `The schema of waitFor("${name}") must be a Standard Schema, for instance one of Zod.`,
    );
  }
  if (task !== undefined) checkTask(name, task);
}

export function pauseInStep(step: string, what: string): HandlerFault {
  return new HandlerFault(
    'step_nested',
    `Step "${step}" calls ${what}(), and a step cannot give up its place. Put the ${what}() between ` +
      'two steps.',
  );
}

export function sleepTwice(name: string): HandlerFault {
  const message = `The handler has two sleeps named "${name}". Give each a name of its own.`;
  return new HandlerFault('sleep_invalid', message);
}

function checkTask(name: string, task: unknown): void {
  const isObject = typeof task === 'object' && task !== null && !Array.isArray(task);
  const json = isObject ? JSON.stringify(task) : '';
  if (isObject && Buffer.byteLength(json) <= MAX_TASK_BYTES) return;
  throw invalid(
    `The task of waitFor("${name}") is a JSON object of at most ${MAX_TASK_BYTES} bytes. Link to what is larger.`,
  );
}

function invalid(message: string): HandlerFault {
  return new HandlerFault('wait_invalid', message);
}
