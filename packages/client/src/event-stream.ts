import { HEADERS, MEDIA_TYPES, type WireEvent } from '@durable-api/protocol';
import { createParser } from 'eventsource-parser';
import { Connection } from './connection.ts';
import { DurableClientError } from './errors.ts';
import { errorOf, invalid, parseJson, readProblem } from './http.ts';
import type { ResolvedClientOptions } from './options.ts';
import { watchSilence } from './silence.ts';
import { isEvent } from './wire.ts';

/** Longer than any event that a server sends; a stream that is none of ours must not fill the memory. */
const MAX_EVENT_LENGTH = 4_194_304;

/** What is known of a stream beside its events, while it flows and after. */
export interface StreamState {
  /** Whether a byte has arrived. */
  hasBytes: boolean;
  /** Whether the server says that nothing will ever follow. */
  isOver: boolean;
  /** Whether the answer was no stream, though no error of the API either. */
  isRefused: boolean;
  /** When the server wants to be asked again after it has ended the stream. */
  retryMs: number | undefined;
}

/** A stream to open. */
export interface StreamRequest {
  readonly url: string;
  /** The last seq that is known. */
  readonly after: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * One connection's worth of events, from SSE. It ends when the server ends it.
 * @throws DurableClientError when it breaks, falls silent, or brings what is no event.
 */
export async function* streamEvents(
  options: ResolvedClientOptions,
  { url, after, signal }: StreamRequest,
  state: StreamState,
): AsyncGenerator<WireEvent, void, undefined> {
  const accept = { [HEADERS.accept]: MEDIA_TYPES.sse };
  const headers = after === 0 ? accept : { ...accept, [HEADERS.lastEventId]: String(after) };
  // The first bytes come at once from a healthy server, so this needs no longer limit.
  const toSend = { method: 'GET', url, headers, signal } as const;
  const connection = await Connection.open(options, toSend, options.heartbeatMs);
  try {
    const { status, headers: answered, body } = connection.response;
    state.isOver = status === 204;
    if (state.isOver) return;
    if (status !== 200) throw await refusal(connection, url, state);
    const isStream = answered.get(HEADERS.contentType)?.startsWith(MEDIA_TYPES.sse) === true;
    state.isRefused = !isStream || body === null;
    if (!isStream || body === null) return;

    const messages: string[] = [];
    const parser = createParser({
      onEvent: ({ data }) => messages.push(data),
      onRetry: (retryMs) => (state.retryMs = retryMs),
      maxBufferSize: MAX_EVENT_LENGTH,
    });
    const decoder = new TextDecoder();
    const reader = body.getReader();
    const silence = silenceOf(url, options.heartbeatMs * 2);
    for (;;) {
      const part = connection.guard(reader.read());
      const { done, value } = await watchSilence(part, silence.limitMs, () =>
        connection.break(silence.error),
      );
      if (done) return;
      if (!state.hasBytes) connection.untimed();
      state.hasBytes = true;
      parser.feed(decoder.decode(value, { stream: true }));
      for (const data of messages.splice(0)) yield parseEvent(data, url);
    }
  } finally {
    connection.close();
  }
}

async function refusal(
  connection: Connection,
  url: string,
  state: StreamState,
): Promise<DurableClientError> {
  const { status, headers } = connection.response;
  const problem = readProblem({ headers, bytes: await connection.bytes() });
  const error = errorOf({ status, headers, url, problem });
  state.isRefused = problem === undefined && !error.retryable;
  return error;
}

function parseEvent(data: string, url: string): WireEvent {
  const value = parseJson(data);
  if (isEvent(value)) return value;
  throw invalid({ url, status: 200 }, 'its stream brought what is no event');
}

function silenceOf(url: string, limitMs: number): { limitMs: number; error: DurableClientError } {
  const message = `${url} sent nothing for ${limitMs} ms, not even a heartbeat.`;
  return { limitMs, error: new DurableClientError('timeout', message, { retryable: true }) };
}
