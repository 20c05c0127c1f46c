import type { Failure } from '@durable-api/protocol';
import { NonRetryableError, RetryAfterError } from '../errors.ts';
import type { StoredResponse } from '../state/intent.ts';

/** A failed attempt: what is stored of it, and when its handler wants to be tried again. */
export interface AttemptFailure {
  readonly failure: Failure;
  /** The handler's own wish; null leaves it to the backoff. */
  readonly retryAfterMs: number | null;
}

/** The longest message of a failure that is stored. */
const MAX_MESSAGE_LENGTH = 2_000;
/** The longest wait that a handler can ask for: a year. */
const MAX_RETRY_AFTER_MS = 365 * 86_400_000;
/** What is said of an error that may not be shown, or cannot be read. */
const NO_MESSAGE = 'The handler threw an error.';

/** What a throw of a handler means. `expose` decides on the messages of ordinary errors. */
export function failureOfThrow(thrown: unknown, expose: boolean): AttemptFailure {
  try {
    return readThrown(thrown, expose);
  } catch {
    // What was thrown has members that throw themselves, or cannot be printed.
    const failure = { code: 'handler_error', message: NO_MESSAGE, retryable: true };
    return { failure, retryAfterMs: null };
  }
}

/** What a 5xx response of a handler means. */
export function failureOfResponse(response: StoredResponse): AttemptFailure {
  const message = `The handler answered ${response.status}.`;
  return { failure: { code: 'handler_5xx', message, retryable: true }, retryAfterMs: null };
}

function readThrown(thrown: unknown, expose: boolean): AttemptFailure {
  const message = messageOf(thrown, expose);
  if (hasName(thrown, NonRetryableError.name)) {
    return { failure: { code: 'non_retryable', message, retryable: false }, retryAfterMs: null };
  }
  const failure: Failure = { code: 'handler_error', message, retryable: true };
  return { failure, retryAfterMs: retryAfterOf(thrown) };
}

function retryAfterOf(thrown: unknown): number | null {
  if (!hasName(thrown, RetryAfterError.name) || !('retryAfterMs' in thrown)) return null;
  const wish = thrown.retryAfterMs;
  if (typeof wish !== 'number' || !(wish >= 0)) return null;
  return Math.round(Math.min(wish, MAX_RETRY_AFTER_MS));
}

// By name, so that a second copy of this package in the user's tree works too.
function hasName(thrown: unknown, name: string): thrown is Error {
  return thrown instanceof Error && thrown.name === name;
}

function messageOf(thrown: unknown, expose: boolean): string {
  const meant =
    hasName(thrown, NonRetryableError.name) ||
    hasName(thrown, RetryAfterError.name) ||
    (thrown instanceof Error && 'expose' in thrown && thrown.expose === true);
  if (!expose && !meant) return NO_MESSAGE;
  const message = String(thrown instanceof Error ? thrown.message : thrown);
  return message.slice(0, MAX_MESSAGE_LENGTH).toWellFormed().replaceAll('\0', '\uFFFD');
}
