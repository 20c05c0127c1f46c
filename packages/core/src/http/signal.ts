import { HEADERS, intentLinks, type WireSignaled } from '@durable-api/protocol';
import { toSignal, undelivered } from '../intents/signal.ts';
import type { PlainReply } from './exchange.ts';
import { findOwn, type Exchange } from './handlers.ts';
import { parseIdempotencyKey } from './idempotency-key.ts';
import { checkPayload, checkPayloadSize } from './payload.ts';
import { DurableError } from '../errors.ts';
import { jsonReply } from './reply.ts';

/** `POST P/{id}/signals/{name}`: stores a signal for the handler; the same answer again for the same key. */
export async function signal<Source>(
  exchange: Exchange<Source>,
  intentId: string,
  name: string,
): Promise<PlainReply> {
  const { setup, request } = exchange;
  const key = parseIdempotencyKey(request.headers[HEADERS.idempotencyKey], false);
  const { record } = await findOwn(exchange, intentId);
  const body = request.body() ?? null;
  if (body instanceof Uint8Array) {
    throw new DurableError('payload_not_json', 'A signal is JSON. Send application/json.');
  }
  checkPayload(body, setup.options.limits);
  checkPayloadSize(JSON.stringify(body), setup.options.limits);
  const outcome = await setup.engine.signal(record.id, toSignal(name, body, { key }));
  if (!('seq' in outcome)) {
    throw undelivered(outcome, name, {
      intentId: record.id,
      links: intentLinks(request.operationPath, record.id),
    });
  }
  const answer: WireSignaled = { ok: true, intent_id: record.id, signal: name, seq: outcome.seq };
  const headers: Record<string, string> = { [HEADERS.intentId]: record.id };
  if (outcome.outcome === 'repeated') headers[HEADERS.idempotencyReplayed] = 'true';
  return jsonReply(202, answer, headers);
}
