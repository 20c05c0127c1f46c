import type { FullReply } from '@durable-api/core';
import type { GatewayCore } from '../gateway-core.ts';
import { invalid } from '../http/errors.ts';
import { field, optionalObject, optionalText } from '../http/fields.ts';
import type { JsonObject } from '../http/json.ts';
import type { GatewayRequest } from '../http/route.ts';
import { completionId } from '../inbox/thread.ts';
import { resolve } from '../lifecycle/ending.ts';
import { changeForCall } from './change-call.ts';
import { actorOf } from './actor.ts';
import { findIntent } from './find-intent.ts';
import { checkPayloadSize } from './parse-envelope.ts';
import type { AxpIntent, Outcome } from './intent-state.ts';
import type { Changed } from './intent-store.ts';
import { eventWire, intentWire } from './wire.ts';

const ENDS = ['COMPLETED', 'FAILED', 'CANCELED'] as const;

/** `POST /v1/intents/{id}/resolve`: the caller states how the whole intent ended. */
export async function resolveIntent(
  core: GatewayCore,
  request: GatewayRequest,
): Promise<FullReply> {
  const intent = await findIntent(core, request, 'resolve');
  const { body } = request;
  const status = statusOf(field(body, 'status'));
  const outcome = outcomeOf(status, body);
  const actor = actorOf(request);
  return changeForCall(core, request, intent, {
    endpoint: `/v1/intents/${intent.record.id}/resolve`,
    change: (current) => resolve(current, status, outcome, actor, core.ledger.now()),
    answer: (changed) => ({
      ok: true,
      intent: intentWire(changed.intent),
      event: lastEvent(changed),
      completion_delivery: completionDelivery(changed.intent),
    }),
  });
}

/** The last event of a change, as callers see it. */
export function lastEvent({ change }: Changed): unknown {
  return JSON.parse(eventWire(change.events.at(-1)?.json ?? '{}'));
}

function completionDelivery({ record, envelope }: AxpIntent): JsonObject {
  if (envelope.replyTo === null) return { delivered: false, reason: 'reply_to_not_set' };
  const type = `intent.${record.status.toLowerCase()}`;
  return {
    delivered: true,
    reply_to: envelope.replyTo,
    thread_id: record.id,
    message_id: completionId(record.id),
    completion: { type, intent_id: record.id, status: record.status },
  };
}

function statusOf(value: unknown): (typeof ENDS)[number] {
  const name = value === 'CANCELLED' ? 'CANCELED' : value;
  const status = ENDS.find((one) => one === name);
  if (status === undefined) throw invalid('status must be COMPLETED, FAILED or CANCELED');
  return status;
}

function outcomeOf(status: (typeof ENDS)[number], body: JsonObject): Outcome {
  const result = optionalObject(field(body, 'result'), 'result');
  const error = optionalObject(field(body, 'error'), 'error');
  checkPayloadSize(result ?? {});
  checkPayloadSize(error ?? {});
  const reason = optionalText(field(body, 'reason'), 'reason', { max: 2_000 });
  const said = reason === undefined ? {} : { reason };
  if (status === 'COMPLETED') return { result: result ?? {}, ...said };
  if (status === 'CANCELED') return { reason: reason ?? 'canceled' };
  const message = reason ?? 'The intent was resolved as failed.';
  return { error: error ?? { code: 'failed', message }, ...said };
}
