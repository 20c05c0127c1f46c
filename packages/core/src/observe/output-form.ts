import { unpackOutput } from '../handler/output-chunk.ts';
import type { StoredEvent } from '../store/store.ts';
import { encodeFrames, encodeOpening, encodeRetry, HEARTBEAT } from './sse.ts';
import type { StreamForm } from './stream-form.ts';

const OUTPUT = 'intent.output';
const ENDS = new Set(['intent.completed', 'intent.failed', 'intent.canceled', 'intent.timed_out']);

/** What an `intent.output` says. */
export interface OutputDetails {
  readonly text?: string;
  readonly base64?: string;
  /** The first of an attempt's has the type of all of it. */
  readonly content_type?: string;
  /** What was put out before is void; what this event has itself counts. */
  readonly reset?: true;
}

/** The output and the end, as the events that tell of them. */
export const OUTPUT_SSE: StreamForm = {
  opening: encodeOpening,
  encode: (events) => encodeFrames(events.filter(isShown)),
  heartbeat: HEARTBEAT,
  leaving: encodeRetry,
  voids: () => false,
  fails: () => false,
};

/** The same, one line of JSON each. */
export const OUTPUT_NDJSON: StreamForm = {
  opening: () => '',
  encode: (events) =>
    Buffer.from(
      events
        .filter(isShown)
        .map(({ json }) => `${json}\n`)
        .join(''),
    ),
  heartbeat: '\n',
  leaving: () => '',
  voids: () => false,
  fails: () => false,
};

/** Nothing but what the handler puts out. Without its end it breaks off, so that a client can tell. */
export const OUTPUT_RAW: StreamForm = {
  opening: () => '',
  encode: (events) => Buffer.concat(lasting(events).map(bytesOf)),
  heartbeat: null,
  leaving: () => null,
  voids: (events) =>
    events.some((event) => event.type === OUTPUT && outputOf(event).reset === true),
  fails: (events) => events.some(({ type }) => ENDS.has(type) && type !== 'intent.completed'),
};

/** What an `intent.output` says. */
export function outputOf({ json }: StoredEvent): OutputDetails {
  const { details }: { details: OutputDetails } = JSON.parse(json);
  return details;
}

function isShown({ type }: StoredEvent): boolean {
  return type === OUTPUT || ENDS.has(type);
}

/** Output that no later one of these makes void. */
function lasting(events: readonly StoredEvent[]): OutputDetails[] {
  const outputs = events.filter(({ type }) => type === OUTPUT).map(outputOf);
  const reset = outputs.findLastIndex((output) => output.reset === true);
  return reset === -1 ? outputs : outputs.slice(reset);
}

function bytesOf(output: OutputDetails): Buffer {
  return unpackOutput(output) ?? Buffer.alloc(0);
}
