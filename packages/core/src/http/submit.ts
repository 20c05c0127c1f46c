import { setImmediate } from 'node:timers/promises';
import { encodeSubmitted, HEADERS, intentLinks, isTerminal } from '@durable-api/protocol';
import { payloadLimitsOf } from '../agents/payload-limits.ts';
import { DurableError } from '../errors.ts';
import type { Submission, Submitting } from '../engine/submitter.ts';
import type { Change } from '../observe/topic.ts';
import { earlierOf } from '../intents/earlier.ts';
import type { IntentRecord } from '../state/intent.ts';
import { wantsStream } from './accept.ts';
import type { FullReply, PlainReply } from './exchange.ts';
import { finishedReply } from './finished.ts';
import { hashParts } from './fingerprint.ts';
import { mayBeSeen, type Exchange } from './handlers.ts';
import { parseIdempotencyKey } from './idempotency-key.ts';
import { encodeInput } from './input.ts';
import { parsePrefer } from './prefer.ts';
import { jsonReply } from './reply.ts';
import { restsUntil, retryAfter } from './retry-after.ts';
import { streamReply } from './stream.ts';
import { withWebhook } from '../webhooks/wish.ts';
import { asksNothing, webhookWish, wishesOf } from './wishes.ts';

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
  const limits = payloadLimitsOf(operation, options.limits);
  const input = encodeInput(await request.capture(), limits);
  const idempotency =
    key === null
      ? null
      : { key: hashParts([owner, operation.name, key]), fingerprint: input.fingerprint() };
  const { webhook } = operation.options;
  const told = webhook === null ? null : await webhookWish(exchange, webhook);
  // An intent is dated by the store's clock, which is known once the store is open.
  await engine.opened();
  const submission: Submission = {
    operation,
    owner,
    idempotency,
    input: withWebhook(input.json, told),
    ...(asksNothing(operation.options) ? null : await wishesOf(exchange)),
  };
  const { liveKey } = submission;
  const { debounce } = operation.options;
  if (liveKey !== undefined && debounce !== null) {
    const { outcome, record } = await engine.submitter.debounce(
      { ...submission, liveKey },
      debounce,
    );
    if (outcome === 'created') return answered(exchange, record, waitSeconds, null);
    return answerEarlier(exchange, submission, record, waitSeconds);
  }
  const submitting = engine.prepare(submission);
  const wait = isWorthWaiting(exchange, submitting.record, waitSeconds)
    ? waitForEnd(exchange, submitting.record, waitSeconds, true)
    : null;
  const release = wait === null && wantsStream(headers.accept) ? hold(exchange, submitting) : null;
  try {
    const stored = await submitting.store();
    if (stored.outcome === 'created') {
      if (wait !== null) return await waited(exchange, submitting.record, wait, waitSeconds);
      if (release !== null) return await followed(exchange, submitting.record, release);
      return accepted(exchange, submitting.record, null);
    }
    wait?.cancel();
    release?.();
    return await answerEarlier(exchange, submission, stored.record, waitSeconds);
  } catch (error) {
    wait?.cancel();
    release?.();
    throw error;
  }
}

function hold<Source>(
  { setup, request }: Exchange<Source>,
  { record, events }: Submitting,
): () => void {
  const release = setup.engine.hub.hold(record, events);
  request.onClose(release);
  return release;
}

/** The stream of an intent that was stored just now. */
async function followed<Source>(
  exchange: Exchange<Source>,
  record: IntentRecord,
  release: () => void,
): Promise<PlainReply> {
  // The attempt has begun. Let what it writes leave first: that takes a disk's time, and who watches
  // waits for it.
  await setImmediate();
  const reply = accepted(exchange, record, null);
  if (reply.kind !== 'stream') return reply;
  return {
    ...reply,
    open(sink) {
      reply.open(sink);
      release();
    },
  };
}

/** The answer of a submit for which there is an intent already. */
async function answerEarlier<Source>(
  exchange: Exchange<Source>,
  submission: Submission,
  record: IntentRecord,
  waitSeconds: number | null,
): Promise<PlainReply> {
  const earlier = earlierOf(record, submission);
  if (earlier === 'reused') throw reused();
  const mark = earlier === 'same' ? HEADERS.idempotencyReplayed : HEADERS.intentDeduplicated;
  // Who may not see it is told that it was accepted, as at first, and nothing of what became of it.
  if (!(await mayBeSeen(exchange, record))) return acceptedReply(exchange, record, mark);
  return answered(exchange, record, waitSeconds, mark);
}

/** The answer for an intent that is there; `mark` names the header that says why it was before. */
async function answered<Source>(
  exchange: Exchange<Source>,
  record: IntentRecord,
  waitSeconds: number | null,
  mark: Mark | null,
): Promise<PlainReply> {
  if (!isWorthWaiting(exchange, record, waitSeconds)) return accepted(exchange, record, mark);
  const reply = isTerminal(record.status)
    ? await finished(exchange, record.id, waitSeconds)
    : await waited(exchange, record, waitForEnd(exchange, record, waitSeconds, false), waitSeconds);
  return mark === null ? reply : { ...reply, headers: { ...reply.headers, [mark]: 'true' } };
}

/** Whether a client that would wait for so long may see the end: it does not when it starts only later. */
function isWorthWaiting<Source>(
  { setup }: Exchange<Source>,
  record: IntentRecord,
  waitSeconds: number | null,
): waitSeconds is number {
  if (waitSeconds === null) return false;
  return !restsUntil(record, setup.engine.clock.now() + waitSeconds * 1_000);
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
  if (change === null || !isTerminal(change.record.status)) return accepted(exchange, record, null);
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

/** The header of an answer that leads to an intent of before. */
type Mark = typeof HEADERS.idempotencyReplayed | typeof HEADERS.intentDeduplicated;

/** 202 with where to look, or the events themselves for who accepts `text/event-stream`. */
export function accepted<Source>(
  exchange: Exchange<Source>,
  record: IntentRecord,
  mark: Mark | null,
): PlainReply {
  const { setup, request } = exchange;
  if (!wantsStream(request.headers.accept)) return acceptedReply(exchange, record, mark);
  const { self } = intentLinks(request.operationPath, record.id);
  const headers = acceptedHeaders(self, mark);
  return streamReply(setup.engine, { record, after: 0, headers });
}

function acceptedReply<Source>(
  { setup, request }: Exchange<Source>,
  record: IntentRecord,
  mark: Mark | null,
): FullReply {
  const { self, events } = intentLinks(request.operationPath, record.id);
  const headers = acceptedHeaders(self, mark);
  headers[HEADERS.intentId] = record.id;
  headers[HEADERS.link] = `<${self}>; rel="status", <${events}>; rel="monitor"`;
  headers[HEADERS.retryAfter] = retryAfter(record, setup.engine.clock.now());
  headers[HEADERS.vary] = 'Accept, Prefer';
  return jsonReply(
    202,
    encodeSubmitted(request.operationPath, record.id, record.createdAt),
    headers,
  );
}

function acceptedHeaders(self: string, mark: Mark | null): Record<string, string> {
  const headers: Record<string, string> = { [HEADERS.location]: self };
  if (mark !== null) headers[mark] = 'true';
  return headers;
}

function reused(): DurableError {
  return new DurableError(
    'idempotency_key_reused',
    'This Idempotency-Key belongs to a request with another body, path or query. ' +
      'Use a fresh key for a new request, and the same request when you retry.',
  );
}
