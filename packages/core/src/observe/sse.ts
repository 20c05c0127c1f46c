import type { StoredEvent } from '../store/store.ts';
import type { StreamForm } from './stream-form.ts';

/** What would end a field, or make a browser ignore it (WHATWG HTML §9.2.6). */
const FORBIDDEN = /[\r\n\0]/;

/**
 * Frames one event for `text/event-stream`: `id` is its seq, `event` its type, `data` its JSON.
 * @throws RangeError when a field has CR, LF or NUL: they could forge further fields.
 */
export function encodeFrame(event: StoredEvent): string {
  const id = String(event.seq);
  return `id: ${field('id', id)}\nevent: ${field('event', event.type)}\n${dataLines(event.json)}\n`;
}

/** Frames several events as the bytes of one write. */
export function encodeFrames(events: readonly StoredEvent[]): Buffer {
  let text = '';
  for (const event of events) text += encodeFrame(event);
  return Buffer.from(text, 'utf8');
}

/** The first bytes of a stream: when to reconnect, and a comment that opens it at once. */
export function encodeOpening(retryMs: number): string {
  return `retry: ${retryField(retryMs)}\n: ok\n\n`;
}

/** Tells the observer when to come back. */
export function encodeRetry(retryMs: number): string {
  return `retry: ${retryField(retryMs)}\n\n`;
}

/** A comment: keeps the connection open and reveals a dead one. */
export const HEARTBEAT = ':\n\n';

function field(name: string, value: string): string {
  if (FORBIDDEN.test(value)) throw new RangeError(`An SSE ${name} must not have CR, LF or NUL.`);
  return value;
}

function dataLines(text: string): string {
  if (!FORBIDDEN.test(text)) return `data: ${text}\n`;
  return `data: ${text.split(/\r\n|\r|\n/).join('\ndata: ')}\n`;
}

// EventSource reconnects without a pause at `retry: 0`, so no server may ask for less than a second.
function retryField(retryMs: number): string {
  return String(Math.max(1_000, Math.round(retryMs)));
}

/** The whole of the events, as `text/event-stream`. */
export const SSE_FORM: StreamForm = {
  opening: encodeOpening,
  encode: encodeFrames,
  heartbeat: HEARTBEAT,
  leaving: encodeRetry,
  voids: () => false,
  fails: () => false,
};
