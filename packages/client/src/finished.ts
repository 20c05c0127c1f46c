import { HEADERS } from '@durable-api/protocol';
import {
  DurableClientError,
  OperationCanceledError,
  OperationFailedError,
  OperationTimedOutError,
} from './errors.ts';
import { errorOf, invalid, type Answer } from './answer.ts';
import type { ValueSchema } from './operation-types.ts';

/** The handler's response, from an answer about an operation that has ended; null when it has not. */
export function finishedResponse(answer: Answer): Response | null {
  const { status, problem, headers, bytes } = answer;
  // A handler's own response may have any status; a problem about an intent is the server's.
  if (problem?.intent_id !== undefined) {
    if (problem.code === 'intent_not_finished') return null;
    const {
      code,
      detail,
      error = { code: 'unknown', message: detail, retryable: false },
    } = problem;
    const options = { problem, status, cause: problem.error };
    if (code === 'intent_failed') throw new OperationFailedError(error, { problem, status });
    if (code === 'intent_canceled') throw new OperationCanceledError(detail, options);
    if (code === 'intent_timed_out') throw new OperationTimedOutError(detail, options);
  }
  if (headers.get(HEADERS.intentId) === null) {
    if (status >= 400) throw errorOf(answer);
    if (!answer.hidesHeaders) throw invalid(answer, 'it bears no Intent-Id');
  }
  const body = bytes.byteLength === 0 ? null : bytes;
  const response = new Response(body, { status });
  // Where a handler redirects to is what its response says.
  const isRedirect = status >= 300 && status < 400;
  for (const name of [HEADERS.contentType, ...(isRedirect ? [HEADERS.location] : [])]) {
    const value = headers.get(name);
    if (value !== null) response.headers.set(name, value);
  }
  return response;
}

/** What a response says: JSON as its value, text as a string, nothing as undefined, else the bytes. */
export async function readResult(response: Response): Promise<unknown> {
  const type = response.headers.get(HEADERS.contentType) ?? '';
  if (/^application\/([\w.+-]+\+)?json\b/.test(type)) return response.json();
  if (type.startsWith('text/')) return response.text();
  const bytes = new Uint8Array(await response.arrayBuffer());
  return bytes.length === 0 ? undefined : bytes;
}

/** Checks a result. @throws DurableClientError `result_invalid` with what the schema objects to. */
export async function checkResult<R>(value: unknown, schema: ValueSchema<R>): Promise<R> {
  const checked = await schema['~standard'].validate(value);
  if (checked.issues === undefined) return checked.value;
  const issues = checked.issues.map(({ message }) => message).join('; ');
  const message = `The result is not what was expected: ${issues}. Are client and server of one version?`;
  throw new DurableClientError('result_invalid', message, { cause: checked.issues });
}
