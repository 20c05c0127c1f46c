import { HEADERS } from '@durable-api/protocol';
import { answerOf, invalid, parse, parseJson, textOf, type Answer } from './answer.ts';
import { backoffMs, delay } from './backoff.ts';
import { Connection, type HttpRequest } from './connection.ts';
import { DurableClientError } from './errors.ts';
import type { ResolvedClientOptions } from './options.ts';
import type { FetchResponse } from './transport/fetch.ts';
import type { Guard } from './wire.ts';

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
  if (answer.status >= 400) throw options.errorOf(answer);
  return parse(answer, is);
}

async function attempt(options: ResolvedClientOptions, toSend: HttpRequest): Promise<Answer> {
  const connection = await Connection.open(options, toSend);
  try {
    const bytes = await connection.bytes();
    if (isRedirect(connection.response)) throw redirected(toSend, connection.response);
    if (isCutShort(toSend, connection.response, bytes)) throw cutShort(toSend);
    const answer = answerOf(toSend.url, connection.response, bytes);
    // How an operation ended is an answer, whatever its status.
    if (answer.status < 400 || answer.problem?.code.startsWith('intent_')) return answer;
    const error = options.errorOf(answer);
    if (error.retryable) throw error;
    return answer;
  } finally {
    connection.close();
  }
}

/** Whether the server sends the client elsewhere, and it is not the handler that has answered so. */
function isRedirect({ status, headers }: FetchResponse): boolean {
  // Browsers hide all of a redirect that they do not follow, and say 0.
  const isSent = status === 0 || (status >= 300 && status < 400 && status !== 304);
  return isSent && headers.get(HEADERS.intentId) === null;
}

// Not followed: what the headers have of credentials is for this server, and a POST could become a GET.
function redirected({ url }: HttpRequest, { status, headers }: FetchResponse): DurableClientError {
  const to = headers.get(HEADERS.location);
  const where = to === null ? '' : ` to ${to}`;
  return invalid({ url, status }, `that is a redirect${where}, which is not followed`);
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
