import { HEADERS, type WireProblem } from '@durable-api/protocol';
import { parseRetryAfter } from './backoff.ts';
import { DurableClientError } from './errors.ts';
import type { FetchResponse } from './transport/fetch.ts';
import { isProblem, type Guard } from './wire.ts';

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly headers: FetchResponse['headers'];
  readonly bytes: ArrayBuffer;
  /** The body, when it is a problem document. */
  readonly problem: WireProblem | undefined;
  readonly url: string;
  /** Whether the answer came over CORS, which may hide headers. */
  readonly hidesHeaders: boolean;
}

/** Statuses by which servers and proxies say that a repetition may succeed. */
const TRANSIENT = [408, 425, 429, 502, 503, 504];

/** The answer that a response and its body make. */
export function answerOf(
  url: string,
  { status, headers, type }: FetchResponse,
  bytes: ArrayBuffer,
): Answer {
  const problem = readProblem({ headers, bytes });
  return { status, headers, url, bytes, problem, hidesHeaders: type === 'cors' };
}

/** Reads the body of an answer. @throws DurableClientError `response_invalid` */
export function parse<T>(answer: Answer, is: Guard<T>): T {
  const value = parseJson(textOf(answer));
  if (is(value)) return value;
  throw invalid(answer, 'its body is none of a Durable API server');
}

/** The error for an answer with an error status. */
export function errorOf(
  answer: Pick<Answer, 'status' | 'headers' | 'url' | 'problem'>,
): DurableClientError {
  const { status, problem, headers, url } = answer;
  const retryAfterMs = parseRetryAfter(headers.get(HEADERS.retryAfter));
  const retryable = problem?.retryable ?? TRANSIENT.includes(status);
  const options = {
    status,
    retryable,
    ...(problem !== undefined && { problem }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
  if (problem !== undefined) return new DurableClientError(problem.code, problem.detail, options);
  const message = `${url} answered ${status} without a problem document: it may be no durable operation.`;
  return new DurableClientError('http_error', message, options);
}

/** The error for an answer that no Durable API server gives. */
export function invalid(
  { url, status }: Pick<Answer, 'url' | 'status'>,
  what: string,
): DurableClientError {
  const message = `${url} answered ${status}, but ${what}. Is the URL right, and is nothing in between?`;
  return new DurableClientError('response_invalid', message, { status });
}

/** The problem document that an answer is, if it is one of ours. */
function readProblem(answer: Pick<Answer, 'headers' | 'bytes'>): WireProblem | undefined {
  const type = answer.headers.get(HEADERS.contentType);
  if (type?.startsWith('application/problem+json') !== true) return undefined;
  const value = parseJson(textOf(answer));
  return isProblem(value) ? value : undefined;
}

/** The body of an answer as text. */
export function textOf({ bytes }: Pick<Answer, 'bytes'>): string {
  return new TextDecoder().decode(bytes);
}

/** Reads JSON; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
