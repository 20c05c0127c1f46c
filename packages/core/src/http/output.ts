import { HEADERS, intentLinks, isTerminal, MEDIA_TYPES } from '@durable-api/protocol';
import type { Engine } from '../engine/engine.ts';
import { DurableError } from '../errors.ts';
import { OUTPUT_NDJSON, OUTPUT_RAW, OUTPUT_SSE, outputOf } from '../observe/output-form.ts';
import type { IntentRecord } from '../state/intent.ts';
import { prefers, wantsStream } from './accept.ts';
import { readCursor } from './cursor.ts';
import type { PlainReply } from './exchange.ts';
import { finishedReply } from './finished.ts';
import { findOwn, type Exchange } from './handlers.ts';
import { emptyReply } from './reply.ts';
import { isOver, streamReply } from './stream.ts';

/** How many events one read takes. */
const PAGE = 256;

/** `GET P/{id}/output`: what the handler puts out, as it does: as events, lines of JSON, or as it is. */
export async function output<Source>(
  exchange: Exchange<Source>,
  intentId: string,
): Promise<PlainReply> {
  const { setup, request } = exchange;
  const { record } = await findOwn(exchange, intentId);
  const isSse = wantsStream(request.headers.accept);
  if (!isSse && !prefers(request.headers.accept, MEDIA_TYPES.ndjson)) return raw(exchange, record);
  const after = readCursor(request);
  if (isOver(record, after)) return emptyReply(204);
  const form = isSse ? OUTPUT_SSE : OUTPUT_NDJSON;
  const headers = isSse ? {} : { [HEADERS.contentType]: MEDIA_TYPES.ndjson };
  return streamReply(setup.engine, { record, after: after ?? 0, form, headers });
}

/** The bytes that count, under the handler's own content type; so it begins with the first of them. */
async function raw<Source>(exchange: Exchange<Source>, record: IntentRecord): Promise<PlainReply> {
  const { setup, request } = exchange;
  const { engine } = setup;
  const left = new AbortController();
  request.onClose(() => left.abort());
  const begun = await firstOutput(engine, record, left.signal);
  if (begun === null) {
    const found = await engine.find(record.id, 'result');
    if (found === undefined) throw new DurableError('intent_not_found', 'The intent is gone.');
    return finishedReply(found.record, found.result, intentLinks(request.operationPath, record.id));
  }
  return streamReply(engine, {
    record: begun.record,
    after: begun.after,
    form: OUTPUT_RAW,
    headers: {
      [HEADERS.contentType]: begun.contentType,
      [HEADERS.cacheControl]: 'no-store, no-transform',
    },
  });
}

interface Begun {
  readonly record: IntentRecord;
  /** The seq after which the output that counts begins. */
  readonly after: number;
  readonly contentType: string;
}

/** Waits for the first output that is not void; null when the intent ended without any. */
async function firstOutput(
  engine: Engine,
  record: IntentRecord,
  left: AbortSignal,
): Promise<Begun | null> {
  let known = record;
  let cursor = 0;
  const found: { begun: Omit<Begun, 'record'> | null } = { begun: null };
  for (;;) {
    while (cursor < known.seq) {
      const events = await engine.storedEvents(known.id, cursor, PAGE);
      if (events.length === 0) break;
      for (const event of events) {
        cursor = event.seq;
        if (event.type !== 'intent.output') continue;
        const { reset, content_type: contentType } = outputOf(event);
        if (reset === true) found.begun = null;
        if (contentType !== undefined) found.begun = { after: event.seq - 1, contentType };
      }
    }
    if (found.begun !== null) return { ...found.begun, record: known };
    if (isTerminal(known.status) || left.aborted) return null;
    known = await changed(engine, known, cursor, left);
  }
}

/** How long to wait for a hint before looking, in ms. */
const LOOK_MS = 15_000;

async function changed(
  engine: Engine,
  record: IntentRecord,
  cursor: number,
  left: AbortSignal,
): Promise<IntentRecord> {
  const wait = engine.hub.waitFor({
    record,
    timeoutMs: LOOK_MS,
    enough: (change) => change.record.seq > cursor,
  });
  const leave = (): void => wait.cancel();
  left.addEventListener('abort', leave, { once: true });
  const change = await wait.change;
  left.removeEventListener('abort', leave);
  return change?.record ?? (await engine.find(record.id))?.record ?? record;
}
