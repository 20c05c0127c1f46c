import { HEADERS } from '@durable-api/protocol';
import { errorOf, invalid, parse, type Answer } from './answer.ts';
import { send } from './http.ts';
import { newIdempotencyKey, quoteKey } from './idempotency-key.ts';
import type { ValueSchema } from './operation-types.ts';
import type { CallOptions } from './operation.ts';
import type { HeaderRecord, ResolvedClientOptions } from './options.ts';
import { isSubmitted } from './wire.ts';

/** How to submit. */
export interface SubmitOptions<R = unknown> extends CallOptions {
  /** Two submits with one key are one operation. Default: a fresh key, so that retries never double. */
  readonly idempotencyKey?: string | undefined;
  /** How long the server may hold the answer for the result to be in it. Whole seconds count, up to 30. Default 0. */
  readonly waitMs?: number | undefined;
  readonly headers?: HeaderRecord | undefined;
  /** Checks and types the result, for instance a zod schema. */
  readonly result?: ValueSchema<R> | undefined;
}

/** The longest that a server holds an answer. */
const MAX_WAIT_SECONDS = 30;

/** What came of a submit. */
export interface Submitted {
  readonly intentId: string;
  /** The handler's response, when it ended in time. */
  readonly ended?: Answer;
}

/** Submits `body` to the operation at `url`, once however often it is sent. */
export async function submit(
  options: ResolvedClientOptions,
  url: string,
  body: unknown,
  { idempotencyKey = newIdempotencyKey(), waitMs = 0, headers, signal }: SubmitOptions,
): Promise<Submitted> {
  const waitSeconds = Math.min(Math.floor(waitMs / 1_000), MAX_WAIT_SECONDS);
  const sent: Record<string, string> = {
    ...headers,
    [HEADERS.accept]: 'application/json, */*;q=0.5',
    [HEADERS.idempotencyKey]: quoteKey(idempotencyKey),
  };
  if (body !== undefined) sent[HEADERS.contentType] = 'application/json';
  if (waitSeconds > 0) sent[HEADERS.prefer] = `wait=${waitSeconds}`;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const toSend = {
    method: 'POST',
    url,
    headers: sent,
    signal,
    waitMs: waitSeconds * 1_000,
    mayBeAnything: waitSeconds > 0,
    ...(text !== undefined && { body: text }),
  } as const;
  const answer = await send(options, toSend);
  if (answer.status === 202) return { intentId: parse(answer, isSubmitted).intent_id };
  const intentId = answer.headers.get(HEADERS.intentId) ?? answer.problem?.intent_id;
  if (intentId !== undefined) return { intentId, ended: answer };
  if (answer.status >= 400) throw errorOf(answer);
  // The result may have come without an id, because CORS hides the header: the key finds it again.
  if (waitSeconds > 0) {
    return submit(options, url, body, { idempotencyKey, headers, signal });
  }
  throw invalid(answer, 'a durable operation answers 202');
}
