import type { Failure } from '@durable-api/protocol';
import { AgentFailed } from '../agents/hand-over.ts';
import { ChildError, NonRetryableError, RetryAfterError, WaitTimeoutError } from '../errors.ts';
import { HandlerFault } from '../handler-fault.ts';
import type { StoredResponse } from '../state/intent.ts';
import { MAX_WAIT_MS } from './backoff.ts';

/** A failed attempt: what is stored of it, and when its handler wants to be tried again. */
export interface AttemptFailure {
  readonly failure: Failure;
  /** The handler's own wish; null leaves it to the backoff. */
  readonly retryAfterMs: number | null;
}

/** The longest message of a failure that is stored. */
const MAX_MESSAGE_LENGTH = 2_000;
/** What is said of an error that may not be shown, or cannot be read. */
const NO_MESSAGE = 'The handler threw an error.';

/** What a throw of a handler means. `expose` decides on the messages of ordinary errors. */
export function failureOfThrow(thrown: unknown, expose: boolean): AttemptFailure {
  try {
    return readThrown(thrown, expose);
  } catch {
    // What was thrown has members that throw themselves, or cannot be printed.
    return failed({ code: 'handler_error', message: NO_MESSAGE, retryable: true });
  }
}

/** Why a response of a handler is a failed attempt; null when it is the result. */
export function failureOfResponse(
  response: StoredResponse,
  maxResultBytes: number,
): AttemptFailure | null {
  if (!isResponse(response)) {
    const message = 'The handler gave no response with a status, headers and a body of bytes.';
    return failed({ code: 'handler_error', message, retryable: false });
  }
  const { status, body } = response;
  if (body.byteLength > maxResultBytes) {
    const message =
      `The response has ${body.byteLength} bytes, more than maxResultBytes (${maxResultBytes}). ` +
      'Store it elsewhere and answer with a reference.';
    return failed({ code: 'result_too_large', message, retryable: false });
  }
  if (status < 500) return null;
  return failed({
    code: 'handler_5xx',
    message: `The handler answered ${status}.`,
    retryable: true,
  });
}

// Adapters of others may have no types: what is stored must be a response when it is read.
function isResponse(value: unknown): value is StoredResponse {
  return (
    typeof value === 'object' &&
    value !== null &&
    'status' in value &&
    isFinalStatus(value.status) &&
    'headers' in value &&
    typeof value.headers === 'object' &&
    value.headers !== null &&
    'body' in value &&
    value.body instanceof Uint8Array
  );
}

function isFinalStatus(status: unknown): boolean {
  return Number.isInteger(status) && Number(status) >= 200 && Number(status) <= 599;
}

function failed(failure: Failure): AttemptFailure {
  return { failure, retryAfterMs: null };
}

function readThrown(thrown: unknown, expose: boolean): AttemptFailure {
  if (thrown instanceof AgentFailed) return failed(thrown.failure);
  const message = messageOf(thrown, expose);
  if (hasName(thrown, NonRetryableError.name)) {
    return failed({ code: 'non_retryable', message, retryable: false });
  }
  const isCoded = hasName(thrown, HandlerFault.name) || hasName(thrown, ChildError.name);
  if (isCoded && 'code' in thrown) {
    return failed({ code: String(thrown.code), message, retryable: false });
  }
  if (hasName(thrown, WaitTimeoutError.name)) {
    return failed({ code: 'wait_timeout', message, retryable: false });
  }
  const failure: Failure = { code: 'handler_error', message, retryable: true };
  return { failure, retryAfterMs: retryAfterOf(thrown) };
}

function retryAfterOf(thrown: unknown): number | null {
  if (!hasName(thrown, RetryAfterError.name) || !('retryAfterMs' in thrown)) return null;
  const wish = thrown.retryAfterMs;
  if (typeof wish !== 'number' || !(wish >= 0)) return null;
  return Math.round(Math.min(wish, MAX_WAIT_MS));
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
    hasName(thrown, WaitTimeoutError.name) ||
    hasName(thrown, ChildError.name) ||
    (thrown instanceof Error && 'expose' in thrown && thrown.expose === true);
  if (!expose && !meant) return NO_MESSAGE;
  const message = String(thrown instanceof Error ? thrown.message : thrown);
  return message.slice(0, MAX_MESSAGE_LENGTH).toWellFormed().replaceAll('\0', '\uFFFD');
}
