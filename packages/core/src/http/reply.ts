import {
  encodeProblem,
  HEADERS,
  MEDIA_TYPES,
  type ProblemCode,
  type ProblemSource,
} from '@durable-api/protocol';
import { DurableError, isDurableError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { FullReply } from './exchange.ts';

/** Headers that every answer of ours bears. */
const COMMON = {
  [HEADERS.cacheControl]: 'no-store',
  [HEADERS.nosniff]: 'nosniff',
} as const;

/** An answer whose body is `value` as JSON. */
export function jsonReply(
  status: number,
  value: object,
  headers: Readonly<Record<string, string>> = {},
): FullReply {
  const body = JSON.stringify(value);
  return {
    kind: 'full',
    status,
    headers: { ...COMMON, [HEADERS.contentType]: MEDIA_TYPES.json, ...headers },
    body,
  };
}

/** An answer without a body. */
export function emptyReply(
  status: number,
  headers: Readonly<Record<string, string>> = {},
): FullReply {
  return { kind: 'full', status, headers: { ...COMMON, ...headers }, body: '' };
}

/** The `application/problem+json` answer (RFC 9457) for an error of ours. */
export function problemReply(error: DurableError, extra: Partial<ProblemSource> = {}): FullReply {
  const { intentId, links, retryAfterSeconds, allow } = error.options;
  const problem = encodeProblem(error.code, {
    detail: error.message,
    ...(intentId !== undefined && { intentId }),
    ...(links !== undefined && { links, instance: links.self }),
    ...extra,
  });
  const headers: Record<string, string> = { [HEADERS.contentType]: MEDIA_TYPES.problem };
  if (allow !== undefined) headers[HEADERS.allow] = allow;
  const retryAfter = retryAfterSeconds ?? (problem.status === 503 ? 1 : undefined);
  if (retryAfter !== undefined) headers[HEADERS.retryAfter] = String(retryAfter);
  return {
    kind: 'full',
    status: problem.status,
    headers: { ...COMMON, ...headers },
    body: JSON.stringify(problem),
  };
}

/** What stands for the messages of a store, which may name hosts, users and files. */
const UNEXPOSED: Readonly<Partial<Record<ProblemCode, string>>> = {
  store_unavailable: 'The store does not answer, and the outcome is unknown. Try again later.',
  store_full: 'The store takes nothing more at the moment. Try again later.',
  options_invalid: 'The server is not set up as it must be; the cause is in its log.',
};

/**
 * The answer for anything thrown while a request is dealt with; what is not ours says nothing, and what a
 * store says is told only if `exposeErrors` lets it.
 */
export function errorReply(thrown: unknown, logger: Logger, exposeErrors = false): FullReply {
  if (isDurableError(thrown)) {
    const unexposed = exposeErrors ? undefined : UNEXPOSED[thrown.code];
    if (unexposed === undefined) return problemReply(thrown);
    logger.warn({ err: thrown }, 'A request to a durable operation could not be answered');
    return problemReply(new DurableError(thrown.code, unexposed, thrown.options));
  }
  logger.error({ err: thrown }, 'A request to a durable operation failed');
  const detail = 'The server failed to answer; the cause is in its log.';
  return problemReply(new DurableError('internal_error', detail));
}
