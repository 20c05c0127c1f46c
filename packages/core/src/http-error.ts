import { STATUS_CODES } from 'node:http';
import type { StoredResponse } from './state/intent.ts';

/** An error that names the response to give, as those of the package `http-errors` do. */
export interface HttpError extends Error {
  /** 400 to 599. */
  readonly statusCode: number;
  /** Whether the message is for the client. */
  readonly expose: boolean;
}

/**
 * Whether something thrown is such an error. All of its marks are asked for, since a `status` alone is
 * also what clients of other APIs put on their errors, which say nothing about this request.
 */
export function isHttpError(thrown: unknown): thrown is HttpError {
  return (
    thrown instanceof Error &&
    'statusCode' in thrown &&
    typeof thrown.statusCode === 'number' &&
    STATUS_CODES[thrown.statusCode] !== undefined &&
    thrown.statusCode >= 400 &&
    'status' in thrown &&
    thrown.status === thrown.statusCode &&
    'expose' in thrown &&
    typeof thrown.expose === 'boolean'
  );
}

/**
 * The response that a handler asked for by throwing an {@link HttpError} below 500, as
 * `application/problem+json` (RFC 9457); null for anything else, which has failed the attempt.
 */
export function responseOfHttpError(thrown: unknown): StoredResponse | null {
  if (!isHttpError(thrown) || thrown.statusCode >= 500) return null;
  const { statusCode: status, expose, message } = thrown;
  const title = STATUS_CODES[status];
  const problem = { type: 'about:blank', title, status, ...(expose && { detail: message }) };
  const headers = { 'content-type': 'application/problem+json' };
  return { status, headers, body: Buffer.from(JSON.stringify(problem)) };
}
