import type { Failure } from '@durable-api/protocol';
import { NonRetryableError, RetryAfterError } from '../errors.ts';
import { HandlerFault } from '../handler-fault.ts';
import type { StoredResponse } from '../state/intent.ts';

/** A failed attempt: what is stored of it, and when its handler wants to be tried again. */
export interface AttemptFailure {
  readonly failure: Failure;
  /** The handler's own wish; null leaves it to the backoff. */
  readonly retryAfterMs: number | null;
}

/** The longest message of a failure that is stored. */
const MAX_MESSAGE_LENGTH = 2_000;

/** What a throw of a handler means. `expose` decides on the messages of ordinary errors. */
export function failureOfThrow(thrown: unknown, expose: boolean): AttemptFailure {
  const message = messageOf(thrown, expose);
  if (hasName(thrown, NonRetryableError.name)) {
    return { failure: { code: 'non_retryable', message, retryable: false }, retryAfterMs: null };
  }
  if (hasName(thrown, HandlerFault.name) && 'code' in thrown) {
    const code = String(thrown.code);
    return { failure: { code, message, retryable: false }, retryAfterMs: null };
  }
  const failure: Failure = { code: 'handler_error', message, retryable: true };
  const wish =
    hasName(thrown, RetryAfterError.name) && 'retryAfterMs' in thrown ? thrown.retryAfterMs : null;
  return { failure, retryAfterMs: typeof wish === 'number' && wish >= 0 ? wish : null };
}

/** What a 5xx response of a handler means. */
export function failureOfResponse(response: StoredResponse): AttemptFailure {
  const message = `The handler answered ${response.status}.`;
  return { failure: { code: 'handler_5xx', message, retryable: true }, retryAfterMs: null };
}

// By name, so that a second copy of this package in the user's tree works too.
function hasName(thrown: unknown, name: string): thrown is Error {
  return thrown instanceof Error && thrown.name === name;
}

function messageOf(thrown: unknown, expose: boolean): string {
  const meant =
    hasName(thrown, NonRetryableError.name) ||
    hasName(thrown, RetryAfterError.name) ||
    hasName(thrown, HandlerFault.name) ||
    (thrown instanceof Error && 'expose' in thrown && thrown.expose === true);
  if (!expose && !meant) return 'The handler threw an error.';
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return message.slice(0, MAX_MESSAGE_LENGTH).toWellFormed().replaceAll('\0', '\uFFFD');
}
