import { HEADERS, type WireProblem } from '@durable-api/protocol';
import { backoffMs, delay, parseRetryAfter } from './backoff.ts';
import { Connection, type HttpRequest } from './connection.ts';
import { DurableClientError } from './errors.ts';
import type { ResolvedClientOptions } from './options.ts';
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

/** Sends a request, repeating it while it fails in ways that pass. The answer may be an error. */
export async function send(options: ResolvedClientOptions, request: HttpRequest): Promise<Answer> {
  for (let failures = 1; ; failures += 1) {
    const error = await attempt(options, request).catch(asTransient);
    if (!(error instanceof DurableClientError)) return error;
    const delayMs = error.retryAfterMs ?? backoffMs(failures, options.backoff);
    if (failures > options.retries || delayMs > options.backoff.maxMs) throw error;
    options.onRetry({ url: request.url, error, failures, delayMs });
    await delay(delayMs, request.signal);
  }
}

/** Sends a request and reads its answer. @throws DurableClientError for every error status. */
export async function request<T>(
  options: ResolvedClientOptions,
  toSend: HttpRequest,
  is: Guard<T>,
): Promise<T> {
  const answer = await send(options, toSend);
  if (answer.status >= 400) throw errorOf(answer);
  return parse(answer, is);
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

async function attempt(options: ResolvedClientOptions, toSend: HttpRequest): Promise<Answer> {
  const connection = await Connection.open(options, toSend);
  try {
    const { status, headers, type } = connection.response;
    const bytes = await connection.bytes();
    if (isCutShort(toSend, connection.response, bytes)) throw cutShort(toSend);
    const answer = { status, headers, url: toSend.url, bytes, hidesHeaders: type === 'cors' };
    const whole = { ...answer, problem: readProblem(answer) };
    // How an operation ended is an answer, whatever its status.
    if (status < 400 || whole.problem?.code.startsWith('intent_')) return whole;
    const error = errorOf(whole);
    if (error.retryable) throw error;
    return whole;
  } finally {
    connection.close();
  }
}

/** Browsers take an answer that was cut in its head, over http:, for a whole one with fewer headers. */
function isCutShort(
  { mayBeAnything }: HttpRequest,
  { status, headers }: FetchResponse,
  bytes: ArrayBuffer,
): boolean {
  if (mayBeAnything === true || (status !== 200 && status !== 202)) return false;
  const type = headers.get(HEADERS.contentType);
  const mayBeJson = type === null || type.startsWith('application/json');
  return mayBeJson && parseJson(textOf({ bytes })) === undefined;
}

function cutShort({ method, url }: HttpRequest): DurableClientError {
  const message = `The answer to ${method} ${url} was cut short.`;
  return new DurableClientError('network', message, { retryable: true });
}

function asTransient(error: unknown): DurableClientError {
  if (error instanceof DurableClientError && error.retryable) return error;
  throw error;
}

/** The problem document that an answer is, if it is one of ours. */
export function readProblem(answer: Pick<Answer, 'headers' | 'bytes'>): WireProblem | undefined {
  const type = answer.headers.get(HEADERS.contentType);
  if (type?.startsWith('application/problem+json') !== true) return undefined;
  const value = parseJson(textOf(answer));
  return isProblem(value) ? value : undefined;
}

/** The body of an answer as text. */
function textOf({ bytes }: Pick<Answer, 'bytes'>): string {
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
