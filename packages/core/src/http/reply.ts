import { encodeProblem, HEADERS, MEDIA_TYPES, type ProblemSource } from '@durable-api/protocol';
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

/** The answer for anything thrown while a request is dealt with; what is not ours says nothing. */
export function errorReply(thrown: unknown, logger: Logger): FullReply {
  if (isDurableError(thrown)) return problemReply(thrown);
  logger.error({ err: thrown }, 'A request to a durable operation failed');
  const detail = 'The server failed to answer; the cause is in its log.';
  return problemReply(new DurableError('internal_error', detail));
}
