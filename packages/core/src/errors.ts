import { PROBLEMS, type Failure, type Links, type ProblemCode } from '@durable-api/protocol';

/** What a {@link DurableError} carries beside its code and message. */
export interface DurableErrorOptions {
  readonly cause?: unknown;
  /** When a retry makes sense, in whole seconds. */
  readonly retryAfterSeconds?: number;
  /** The methods that would be allowed, for `method_not_allowed`. */
  readonly allow?: string;
  readonly intentId?: string;
  readonly links?: Links;
}

/**
 * The one error class of the library. `code` is stable and decides the HTTP status; the message says
 * what to do. Tell errors apart by `code`, never by class.
 */
export class DurableError extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly options: DurableErrorOptions;

  constructor(code: ProblemCode, message: string, options: DurableErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DurableError';
    this.code = code;
    this.status = PROBLEMS[code][0];
    this.options = options;
  }
}

/** Tells whether `error` is a {@link DurableError}, also one of another copy of this package. */
export function isDurableError(error: unknown): error is DurableError {
  return (
    error instanceof Error &&
    error.name === 'DurableError' &&
    'code' in error &&
    typeof error.code === 'string' &&
    Object.hasOwn(PROBLEMS, error.code)
  );
}

/** Thrown by a handler: the operation has failed, and trying again will not help. */
export class NonRetryableError extends Error {
  override readonly name = 'NonRetryableError';
}

/** Thrown by `waitFor` when no signal came in time. A handler that lets it pass has failed for good. */
export class WaitTimeoutError extends Error {
  override readonly name = 'WaitTimeoutError';
}

/**
 * Thrown by a handler: the attempt failed, and the next one shall start after `retryAfterMs`, a year at
 * most.
 */
export class RetryAfterError extends Error {
  override readonly name = 'RetryAfterError';
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** How a child did not come to a result. */
export type ChildErrorCode =
  | 'child_failed'
  | 'child_canceled'
  | 'child_timed_out'
  /** It answered with a status from 400 up: see {@link ChildError.answer}. */
  | 'child_refused'
  /** It was removed before its parent knew its end, or its large answer was. */
  | 'child_gone';

/** What a {@link ChildError} carries beside its code and message. */
export interface AboutChild {
  readonly intentId: string;
  readonly operation: string;
  readonly failure: Failure | null;
  readonly answer: { readonly status: number; readonly value: unknown } | null;
}

/**
 * Thrown by `result()` of a child that has none. A handler that lets it pass has failed for good: a child's
 * end never changes.
 */
export class ChildError extends Error {
  override readonly name = 'ChildError';
  readonly code: ChildErrorCode;
  readonly intentId: string;
  readonly operation: string;
  /** Why it FAILED, with `child_failed`. */
  readonly failure: Failure | null;
  /** What it answered, with `child_refused`. */
  readonly answer: AboutChild['answer'];

  constructor(code: ChildErrorCode, message: string, about: AboutChild) {
    super(message);
    this.code = code;
    this.intentId = about.intentId;
    this.operation = about.operation;
    this.failure = about.failure;
    this.answer = about.answer;
  }
}
