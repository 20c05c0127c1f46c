import { isDurableError, type FullReply, type Logger } from '@durable-api/core';
import type { JsonObject } from './json.ts';

/** What kind of thing went wrong, for clients that sort by it. */
type ErrorCategory = 'validation' | 'auth' | 'policy' | 'transport' | 'timeout' | 'internal';

/** What an {@link AxpError} carries beside status, code and message. */
export interface AxpErrorOptions {
  readonly details?: JsonObject;
  readonly category?: ErrorCategory;
  /** In whole seconds: clients of the protocol read nothing else. */
  readonly retryAfterSeconds?: number;
  readonly allow?: string;
}

/** A request that is refused, with what its sender is told. */
export class AxpError extends Error {
  readonly status: number;
  readonly code: string;
  readonly options: AxpErrorOptions;

  constructor(status: number, code: string, message: string, options: AxpErrorOptions = {}) {
    super(message);
    this.name = 'AxpError';
    this.status = status;
    this.code = code;
    this.options = options;
  }
}

/** 422: what the request says is not what the call takes. */
export function invalid(message: string, details: JsonObject = {}): AxpError {
  return new AxpError(422, 'schema_invalid', message, { details });
}

/** 404 for an intent, the same whether there is none or it is not the caller's to see. */
export function intentNotFound(id: string): AxpError {
  return new AxpError(404, 'intent_not_found', `intent ${id.slice(0, 64)} not found`);
}

/** The answer for anything thrown; what is not ours says nothing. */
export function errorReply(thrown: unknown, now: number, logger: Logger): FullReply {
  const error = toAxpError(thrown, logger);
  const { category, details = {}, retryAfterSeconds, allow } = error.options;
  const body = {
    ok: false,
    error: {
      code: error.code,
      message: error.message,
      category: category ?? categoryOf(error.status),
      retryable: error.status === 429 || error.status === 503,
      at: new Date(now).toISOString(),
      details,
    },
    message: error.message,
    detail: error.message,
  };
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
  };
  const retryAfter = retryAfterSeconds ?? (error.status === 503 ? 1 : undefined);
  if (retryAfter !== undefined) headers['retry-after'] = String(Math.ceil(retryAfter));
  if (allow !== undefined) headers['allow'] = allow;
  return { kind: 'full', status: error.status, headers, body: JSON.stringify(body) };
}

function toAxpError(thrown: unknown, logger: Logger): AxpError {
  if (thrown instanceof AxpError) return thrown;
  if (isDurableError(thrown)) {
    const { retryAfterSeconds } = thrown.options;
    return new AxpError(
      thrown.status,
      thrown.code,
      thrown.message,
      retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
    );
  }
  logger.error({ err: thrown }, 'A request to the gateway failed');
  return new AxpError(500, 'internal_error', 'The server failed to answer; its log has the cause.');
}

function categoryOf(status: number): ErrorCategory {
  if (status === 401) return 'auth';
  if (status === 403 || status === 409 || status === 429) return 'policy';
  return status >= 500 ? 'internal' : 'validation';
}
