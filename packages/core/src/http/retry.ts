import { HEADERS } from '@durable-api/protocol';
import { retryIntent } from '../intents/retry-intent.ts';
import type { PlainReply } from './exchange.ts';
import { findOwn, type Exchange } from './handlers.ts';
import { parseIdempotencyKey } from './idempotency-key.ts';
import { accepted } from './submit.ts';

/** `POST P/{id}/retry`: does again what ended without a result, and answers like a submit. */
export async function retry<Source>(
  exchange: Exchange<Source>,
  intentId: string,
): Promise<PlainReply> {
  const { setup, request } = exchange;
  const key = parseIdempotencyKey(request.headers[HEADERS.idempotencyKey], false);
  const found = await findOwn(exchange, intentId, 'input');
  const { record, isReplayed, isDeduplicated } = await retryIntent(
    setup.engine,
    setup.engine.operations.findFor(found.record),
    found,
    key,
  );
  if (isReplayed) return accepted(exchange, record, HEADERS.idempotencyReplayed);
  return accepted(exchange, record, isDeduplicated ? HEADERS.intentDeduplicated : null);
}
