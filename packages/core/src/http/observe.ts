import { encodeSnapshot, HEADERS, intentLinks, isTerminal } from '@durable-api/protocol';
import { DurableError } from '../errors.ts';
import type { IntentRecord } from '../state/intent.ts';
import { eventsForm, wantsStream } from './accept.ts';
import { readCursor } from './cursor.ts';
import type { FullReply, PlainReply } from './exchange.ts';
import { finishedReply } from './finished.ts';
import { findOwn, type Exchange } from './handlers.ts';
import { parsePrefer } from './prefer.ts';
import { queryNumber } from './query.ts';
import { emptyReply, jsonReply } from './reply.ts';
import { retryAfter } from './retry-after.ts';
import { isOver, streamReply } from './stream.ts';

/** The most events of one JSON list. */
const LIST_PAGE = 1_000;

/** `GET P/{id}`: the snapshot, at once or when it differs from what the client has. */
export async function snapshot<Source>(
  exchange: Exchange<Source>,
  intentId: string,
): Promise<PlainReply> {
  const { setup, request } = exchange;
  const { record } = await findOwn(exchange, intentId);
  if (wantsStream(request.headers.accept)) {
    return streamOf(exchange, record);
  }
  const known = request.headers[HEADERS.ifNoneMatch];
  const { waitSeconds } = parsePrefer(request.headers[HEADERS.prefer]);
  if (waitSeconds === null || isTerminal(record.status))
    return snapshotReply(exchange, record, known);
  const isKnown = known === undefined || matches(known, etagOf(record));
  if (!isKnown) return snapshotReply(exchange, record, known);
  const wait = setup.engine.hub.waitFor({
    record,
    timeoutMs: waitSeconds * 1_000,
    enough: (change) => change.record.seq > record.seq,
  });
  request.onClose(() => wait.cancel());
  const change = await wait.change;
  const reply = snapshotReply(exchange, change?.record ?? record, known);
  const applied = { [HEADERS.preferenceApplied]: `wait=${waitSeconds}` };
  return { ...reply, headers: { ...reply.headers, ...applied } };
}

/** `GET P/{id}/events`: the stream, or a list for who accepts only JSON. */
export async function events<Source>(
  exchange: Exchange<Source>,
  intentId: string,
): Promise<PlainReply> {
  const { setup, request } = exchange;
  const { record } = await findOwn(exchange, intentId);
  const form = eventsForm(request.headers.accept);
  if (form === 'stream') return streamOf(exchange, record);
  if (form === null) {
    const message = 'Events come as text/event-stream or application/json; accept one of them.';
    throw new DurableError('not_acceptable', message);
  }
  const list = await setup.engine.events(intentId, readCursor(request) ?? 0, LIST_PAGE);
  const headers = { [HEADERS.vary]: 'Accept' };
  return { ...jsonReply(200, {}, headers), body: `{"ok":true,"events":[${list.join(',')}]}` };
}

/** `GET P/{id}/result`: the handler's own response, or why there is none. */
export async function result<Source>(
  exchange: Exchange<Source>,
  intentId: string,
): Promise<PlainReply> {
  const found = await findOwn(exchange, intentId, 'result');
  const links = intentLinks(exchange.request.operationPath, intentId);
  return finishedReply(found.record, found.result, links);
}

/** The status document of an intent. */
export function snapshotReply<Source>(
  { setup, request }: Pick<Exchange<Source>, 'setup' | 'request'>,
  record: IntentRecord,
  known: string | undefined,
  status = 200,
): FullReply {
  const etag = etagOf(record);
  const headers: Record<string, string> = {
    [HEADERS.etag]: etag,
    [HEADERS.cacheControl]: 'private, no-cache',
    [HEADERS.vary]: 'Accept, Prefer',
  };
  if (!isTerminal(record.status))
    headers[HEADERS.retryAfter] = retryAfter(record, setup.engine.clock.now());
  if (known !== undefined && matches(known, etag)) return emptyReply(304, headers);
  const links = intentLinks(request.operationPath, record.id);
  return jsonReply(status, encodeSnapshot(record, links), headers);
}

/** The stream of an intent that the requester may see, from where it left off. */
export function streamOf<Source>(
  { setup, request }: Pick<Exchange<Source>, 'setup' | 'request'>,
  record: IntentRecord,
): PlainReply {
  const after = readCursor(request);
  const waitSeconds = queryNumber(request.query, 'wait_seconds');
  if (isOver(record, after)) return emptyReply(204);
  return streamReply(setup.engine, {
    record,
    after: after ?? 0,
    ...(waitSeconds !== null && { maxAgeMs: Math.max(1, waitSeconds) * 1_000 }),
  });
}

function etagOf(record: IntentRecord): string {
  return `"${record.id}-${record.seq}"`;
}

function matches(known: string, etag: string): boolean {
  return (
    known.trim() === '*' || known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
  );
}
