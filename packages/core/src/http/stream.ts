import { HEADERS, isTerminal, MEDIA_TYPES } from '@durable-api/protocol';
import { encodeRetry } from '../observe/sse.ts';
import type { StreamForm } from '../observe/stream-form.ts';
import type { Engine } from '../engine/engine.ts';
import type { IntentRecord } from '../state/intent.ts';
import type { StreamReply } from './exchange.ts';

/** Headers of an SSE answer: nothing between here and the client may keep, change or hold back bytes. */
const SSE_HEADERS = {
  [HEADERS.contentType]: MEDIA_TYPES.sse,
  [HEADERS.cacheControl]: 'no-cache, no-transform',
  [HEADERS.accelBuffering]: 'no',
  // RFC 10036: asks intermediaries to forward as bytes arrive.
  [HEADERS.incremental]: '?1',
  [HEADERS.nosniff]: 'nosniff',
  [HEADERS.vary]: 'Accept',
} as const;

/** How a stream is asked for. */
export interface StreamRequest {
  readonly record: IntentRecord;
  /** The last seq that the client has. */
  readonly after: number;
  readonly maxAgeMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: StreamForm;
}

/** An answer that streams the events of an intent. */
export function streamReply(engine: Engine, request: StreamRequest): StreamReply {
  const { headers, ...observed } = request;
  return {
    kind: 'stream',
    status: 200,
    headers: { ...SSE_HEADERS, [HEADERS.intentId]: request.record.id, ...headers },
    open: (sink) => engine.hub.observe({ ...observed, sink }),
  };
}

/** Whether nothing will ever follow `after`, so that a browser shall stop reconnecting. */
export function isOver(record: IntentRecord, after: number | null): boolean {
  return after !== null && isTerminal(record.status) && after >= record.seq;
}

/**
 * The answer to an observer while events cannot be read: an empty stream that says when to come back.
 * `EventSource` gives up for ever on any status but 200.
 */
export function comeBackReply(retryMs: number): StreamReply {
  return {
    kind: 'stream',
    status: 200,
    headers: SSE_HEADERS,
    open: (sink) => sink.end(encodeRetry(retryMs)),
  };
}
