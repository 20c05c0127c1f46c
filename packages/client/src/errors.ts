import type { Failure, ProblemCode, WireProblem } from '@durable-api/protocol';

/** What went wrong on this side of the wire. */
export type LocalCode =
  /** No answer: the connection could not be made, or broke. */
  | 'network'
  /** No answer in time. */
  | 'timeout'
  /** An answer that no Durable API server gives. */
  | 'response_invalid'
  /** An error status without a problem document, by the app or by something in between. */
  | 'http_error'
  /** The result does not match the schema that it was asked for with. */
  | 'result_invalid'
  /** An agent's work is in vain: the intent has ended, or another agent has it. */
  | 'lease_lost'
  /** The arguments cannot work; nothing was sent. */
  | 'usage';

/** What a {@link DurableClientError} carries beside its code and message. */
export interface ClientErrorOptions {
  readonly cause?: unknown;
  readonly status?: number;
  readonly problem?: WireProblem;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
}

/**
 * Every error that the client throws, but for the reason of an aborted `AbortSignal` and whatever
 * `headers()` throws. Tell them apart by `code`: one of this package, or the server's problem code.
 */
export class DurableClientError extends Error {
  readonly code: LocalCode | ProblemCode | (string & {});
  /** The HTTP status, if there was an answer. */
  readonly status: number | undefined;
  /** The server's problem document (RFC 9457), if it sent one. */
  readonly problem: WireProblem | undefined;
  /** Whether the same request may succeed later. The client has then tried `retries` times. */
  readonly retryable: boolean;
  /** When the server wants to be asked again, in ms from its answer. */
  readonly retryAfterMs: number | undefined;

  constructor(code: DurableClientError['code'], message: string, options: ClientErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DurableClientError';
    this.code = code;
    this.status = options.status;
    this.problem = options.problem;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The operation FAILED. `failure` says why, as the server stored it. */
export class OperationFailedError extends DurableClientError {
  override readonly name = 'OperationFailedError';
  readonly failure: Failure;

  constructor(failure: Failure, options: ClientErrorOptions) {
    super('intent_failed', failure.message, { cause: failure, ...options });
    this.failure = failure;
  }
}

/** The operation was CANCELED. */
export class OperationCanceledError extends DurableClientError {
  override readonly name = 'OperationCanceledError';

  constructor(message: string, options: ClientErrorOptions) {
    super('intent_canceled', message, options);
  }
}

/** The operation missed its deadline and is TIMED_OUT. */
export class OperationTimedOutError extends DurableClientError {
  override readonly name = 'OperationTimedOutError';

  constructor(message: string, options: ClientErrorOptions) {
    super('intent_timed_out', message, options);
  }
}
