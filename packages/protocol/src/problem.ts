import { z } from 'zod';
import { linksSchema, type Links } from './links.ts';

/**
 * Every problem that a Durable API server answers with: its code, HTTP status and title.
 * Codes are stable; adding one is allowed, changing one is not.
 */
export const PROBLEMS = {
  body_parser_missing: [500, 'No body parser runs before the operation'],
  body_unreadable: [400, 'The request body could not be parsed'],
  events_expired: [410, 'The requested events are gone'],
  handler_unavailable: [500, 'The operation cannot run here'],
  idempotency_key_invalid: [400, 'The Idempotency-Key is malformed'],
  idempotency_key_required: [400, 'An Idempotency-Key is required'],
  idempotency_key_reused: [422, 'The Idempotency-Key was used for another request'],
  intent_canceled: [409, 'The intent was canceled'],
  intent_failed: [500, 'The operation failed'],
  intent_id_invalid: [400, 'The intent id is malformed'],
  intent_not_found: [404, 'There is no such intent'],
  intent_not_finished: [409, 'The intent has not finished'],
  intent_not_retryable: [409, 'The intent cannot be retried'],
  intent_terminal: [409, 'The intent has already ended'],
  intent_timed_out: [504, 'The intent missed its deadline'],
  last_event_id_invalid: [400, 'The Last-Event-ID is malformed'],
  method_not_allowed: [405, 'The method is not allowed here'],
  mount_invalid: [500, 'The operation is mounted in a way that cannot work'],
  not_acceptable: [406, 'No acceptable representation'],
  operation_key_invalid: [400, 'The request gives no key of the operation'],
  operation_duplicate: [500, 'Two operations have one name'],
  operation_unnamed: [500, 'The operation has no name'],
  options_invalid: [500, 'Invalid options'],
  overloaded: [503, 'The service is overloaded'],
  owner_forbidden: [403, 'The caller may not do this'],
  payload_forbidden_key: [400, 'The payload has a forbidden key'],
  payload_not_json: [415, 'The payload is not JSON'],
  payload_nul: [400, 'The payload has a NUL character'],
  payload_surrogate: [400, 'The payload has a lone surrogate'],
  payload_too_deep: [400, 'The payload is nested too deeply'],
  payload_too_large: [413, 'The payload is too large'],
  priority_invalid: [400, 'The priority is malformed'],
  prefer_invalid: [400, 'The Prefer header is malformed'],
  query_invalid: [400, 'A query parameter is malformed'],
  signal_name_invalid: [400, 'The name of the signal is malformed'],
  signals_full: [409, 'The intent takes no more signals'],
  start_invalid: [400, 'The instant of the start is malformed'],
  store_full: [507, 'The store has no space left'],
  store_unavailable: [503, 'The store is unavailable'],
  stopping: [503, 'The service is stopping'],
  ticket_invalid: [401, 'The ticket does not open this stream'],
  webhook_invalid: [400, 'The address of the webhook is not allowed'],
  internal_error: [500, 'Internal error'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** An error answer: RFC 9457 with the extension members `code`, `retryable` and, where known, the intent. */
export const problemSchema = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string().optional(),
  code: z.string(),
  retryable: z.boolean(),
  intent_id: z.string().optional(),
  intent_status: z.string().optional(),
  links: linksSchema.optional(),
  error: z
    .looseObject({ code: z.string(), message: z.string(), retryable: z.boolean() })
    .optional(),
});

export type WireProblem = z.infer<typeof problemSchema>;

/** What {@link encodeProblem} takes beside the code. */
export interface ProblemSource {
  /** What went wrong in this case and what the caller can do about it. */
  readonly detail: string;
  /** Whether the same request may succeed later. Default: true for 429 and 503. */
  readonly retryable?: boolean;
  readonly instance?: string;
  readonly intentId?: string;
  readonly intentStatus?: string;
  readonly links?: Links;
  readonly error?: { readonly code: string; readonly message: string; readonly retryable: boolean };
}

/** Builds the problem document of `code`. */
export function encodeProblem(code: ProblemCode, source: ProblemSource): WireProblem {
  const [status, title]: readonly [number, string] = PROBLEMS[code];
  const problem: WireProblem = {
    type: `urn:durable-api:problem:${code}`,
    title,
    status,
    detail: source.detail,
    code,
    retryable: source.retryable ?? (status === 503 || status === 429),
  };
  if (source.instance !== undefined) problem.instance = source.instance;
  if (source.intentId !== undefined) problem.intent_id = source.intentId;
  if (source.intentStatus !== undefined) problem.intent_status = source.intentStatus;
  if (source.links !== undefined) problem.links = source.links;
  if (source.error !== undefined) problem.error = source.error;
  return problem;
}
