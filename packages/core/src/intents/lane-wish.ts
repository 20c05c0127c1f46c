import { DurableError } from '../errors.ts';
import type { LaneRule } from '../options.ts';

/** What the limits and the turn of an intent go by. */
export interface LaneWish {
  readonly key: string;
  readonly priority: number;
}

/** The longest key, in UTF-16 units: it is part of the index of every store. */
const MAX_KEY_LENGTH = 200;
const MAX_PRIORITY = 100;

/**
 * What an operation says of a request. Rejects with whatever its functions throw.
 * @throws DurableError `operation_key_invalid`, `priority_invalid`
 */
export async function laneWish({ key, priority }: LaneRule, request: unknown): Promise<LaneWish> {
  const given = typeof priority === 'function' ? await priority(request) : priority;
  return {
    key: key === undefined ? '' : checkKey(await key(request)),
    priority: checkPriority(given),
  };
}

/** The priority that an operation gives to all submits, where there is no request to ask about. */
export function ownPriority(rule: LaneRule | null): number | undefined {
  return typeof rule?.priority === 'number' ? rule.priority : undefined;
}

/** @throws DurableError `operation_key_invalid` */
export function checkKey(key: unknown): string {
  const isKey =
    typeof key === 'string' &&
    key !== '' &&
    key.length <= MAX_KEY_LENGTH &&
    key.isWellFormed() &&
    !hasControl(key);
  if (isKey) return key;
  throw new DurableError(
    'operation_key_invalid',
    `The operation takes its key from the request, and this one gives none: it must be a text of 1 to ` +
      `${MAX_KEY_LENGTH} characters without control characters.`,
  );
}

/** @throws DurableError `priority_invalid` */
export function checkPriority(priority: unknown): number {
  const isPriority =
    typeof priority === 'number' &&
    Number.isInteger(priority) &&
    Math.abs(priority) <= MAX_PRIORITY;
  // Not the negative zero, which stores do not keep.
  if (isPriority) return priority + 0;
  throw new DurableError(
    'priority_invalid',
    `The priority must be a whole number from -${MAX_PRIORITY} to ${MAX_PRIORITY}; the higher goes first.`,
  );
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
