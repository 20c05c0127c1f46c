import { encodeSubmitted, HEADERS, intentLinks, isTerminal } from '@durable-api/protocol';
import { DurableError } from '../errors.ts';
import type { Change } from '../observe/topic.ts';
import type { IntentRecord } from '../state/intent.ts';
import { wantsStream } from './accept.ts';
import type { FullReply, PlainReply } from './exchange.ts';
import { finishedReply } from './finished.ts';
import { hashParts } from './fingerprint.ts';
import type { Exchange } from './handlers.ts';
import { parseIdempotencyKey } from './idempotency-key.ts';
import { encodeInput } from './input.ts';
import { parsePrefer } from './prefer.ts';
import { jsonReply } from './reply.ts';
import { streamReply } from './stream.ts';

/** `POST P`: stores an intent and answers 202, the finished response, or the stream of its events. */
export async function submit<Source>(exchange: Exchange<Source>): Promise<PlainReply> {
  const { setup, request, operation, owner } = exchange;
  const { engine, options } = setup;
  const { headers } = request;
  const { waitSeconds } = parsePrefer(headers[HEADERS.prefer]);
  const key = parseIdempotencyKey(
    headers[HEADERS.idempotencyKey],
    operation.options.requireIdempotencyKey,
  );
  const input = encodeInput(await request.capture(), options.limits);
  const idempotency =
    key === null
      ? null
      : { key: hashParts([owner, operation.name, key]), fingerprint: input.fingerprint() };
  // An intent is dated by the store's clock, which is known once the store is open.
  await engine.opened();
  const submitting = engine.prepare({ operation, owner, idempotency, input: input.json });
  const wait =
    waitSeconds === null ? null : waitForEnd(exchange, submitting.record, waitSeconds, true);
  try {
    const stored = await submitting.store();
    if (stored.outcome === 'created') {
      if (wait !== null) return await waited(exchange, submitting.record, wait, waitSeconds);
      return accepted(exchange, submitting.record, false);
    }
    wait?.cancel();
    if (stored.record.idempotency?.fingerprint !== idempotency?.fingerprint) throw reused();
    return await replay(exchange, stored.record, waitSeconds);
  } catch (error) {
    wait?.cancel();
    throw error;
  }
}

/** The answer for an earlier intent with the same key and request. */
async function replay<Source>(
  exchange: Exchange<Source>,
  record: IntentRecord,
  waitSeconds: number | null,
): Promise<PlainReply> {
  if (waitSeconds === null) return accepted(exchange, record, true);
  const reply = isTerminal(record.status)
    ? await finished(exchange, record.id, waitSeconds)
    : await waited(exchange, record, waitForEnd(exchange, record, waitSeconds, false), waitSeconds);
  return { ...reply, headers: { ...reply.headers, [HEADERS.idempotencyReplayed]: 'true' } };
}

type Wait = ReturnType<typeof waitForEnd>;

function waitForEnd<Source>(
  { setup, request }: Exchange<Source>,
  record: IntentRecord,
  waitSeconds: number,
  isNew: boolean,
): ReturnType<Exchange<Source>['setup']['engine']['hub']['waitFor']> {
  const wait = setup.engine.hub.waitFor({
    record,
    isNew,
    timeoutMs: waitSeconds * 1_000,
    enough: (change) =>
      isTerminal(change.record.status) || change.record.waitingReason === 'WAITING_FOR_HUMAN',
  });
  request.onClose(() => wait.cancel());
  return wait;
}

async function waited<Source>(
  exchange: Exchange<Source>,
  record: IntentRecord,
  wait: Wait,
  waitSeconds: number | null,
): Promise<PlainReply> {
  const change = await wait.change;
  if (change === null || !isTerminal(change.record.status))
    return accepted(exchange, record, false);
  return finished(exchange, record.id, waitSeconds, change);
}

async function finished<Source>(
  exchange: Exchange<Source>,
  intentId: string,
  waitSeconds: number | null,
  change?: Change,
): Promise<FullReply> {
  const { setup, request } = exchange;
  const known = change?.result === undefined ? await setup.engine.find(intentId, 'result') : change;
  const links = intentLinks(request.operationPath, intentId);
  if (known === undefined) throw new DurableError('intent_not_found', 'The intent is gone.');
  const reply = finishedReply(known.record, known.result, links);
  return {
    ...reply,
    headers: {
      // A redirect or a created resource of the handler's keeps its own.
      [HEADERS.location]: links.self,
      ...reply.headers,
      [HEADERS.intentId]: intentId,
      [HEADERS.preferenceApplied]: `wait=${waitSeconds}`,
      [HEADERS.vary]: 'Prefer',
    },
  };
}

/** 202 with where to look, or the events themselves for who accepts `text/event-stream`. */
function accepted<Source>(
  { setup, request }: Exchange<Source>,
  record: IntentRecord,
  isReplayed: boolean,
): PlainReply {
  const { self, events } = intentLinks(request.operationPath, record.id);
  const headers: Record<string, string> = { [HEADERS.location]: self };
  if (isReplayed) headers[HEADERS.idempotencyReplayed] = 'true';
  if (wantsStream(request.headers.accept)) {
    return streamReply(setup.engine, { record, after: 0, headers });
  }
  headers[HEADERS.intentId] = record.id;
  headers[HEADERS.link] = `<${self}>; rel="status", <${events}>; rel="monitor"`;
  headers[HEADERS.retryAfter] = '1';
  headers[HEADERS.vary] = 'Accept, Prefer';
  return jsonReply(
    202,
    encodeSubmitted(request.operationPath, record.id, record.createdAt),
    headers,
  );
}

function reused(): DurableError {
  return new DurableError(
    'idempotency_key_reused',
    'This Idempotency-Key belongs to a request with another body, path or query. ' +
      'Use a fresh key for a new request, and the same request when you retry.',
  );
}
