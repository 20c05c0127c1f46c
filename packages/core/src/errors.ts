import { PROBLEMS, type Links, type ProblemCode } from '@durable-api/protocol';

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
