import { HEADERS, MEDIA_TYPES } from '@durable-api/protocol';
import { createParser } from 'eventsource-parser';
import { answerOf, invalid, parseJson } from './answer.ts';
import { Connection } from './connection.ts';
import { DurableClientError } from './errors.ts';
import type { ResolvedClientOptions } from './options.ts';
import { watchSilence } from './silence.ts';
import type { Guard } from './wire.ts';

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
  /** Whether the server says that there was nothing to send. */
  isQuiet: boolean;
  /** When the server wants to be asked again after it has ended the stream. */
  retryMs: number | undefined;
}

/** A stream to open. */
export interface StreamRequest<T> {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What its events are. */
  readonly is: Guard<T>;
  /** The name of an event that is none of those, but says that there was nothing to send. */
  readonly quietName?: string;
  readonly signal: AbortSignal | undefined;
}

/** What is known of a stream before it is opened. */
export function newStreamState(): StreamState {
  return { hasBytes: false, isOver: false, isRefused: false, isQuiet: false, retryMs: undefined };
}

/**
 * One connection's worth of events, from SSE. It ends when the server ends it.
 * @throws DurableClientError when it breaks, falls silent, or brings what is no event.
 */
export async function* streamEvents<T>(
  options: ResolvedClientOptions,
  { url, headers: more, is, quietName, signal }: StreamRequest<T>,
  state: StreamState,
): AsyncGenerator<T, void, undefined> {
  const headers = { [HEADERS.accept]: MEDIA_TYPES.sse, ...more };
  // The first bytes come at once from a healthy server, so this needs no longer limit.
  const toSend = { method: 'GET', url, headers, signal } as const;
  const connection = await Connection.open(options, toSend, options.heartbeatMs);
  try {
    const { status, headers: answered, body } = connection.response;
    state.isOver = status === 204;
    if (state.isOver) return;
    if (status !== 200) throw await refusal(options, connection, { url, state });
    const isStream = answered.get(HEADERS.contentType)?.startsWith(MEDIA_TYPES.sse) === true;
    state.isRefused = !isStream || body === null;
    if (!isStream || body === null) return;

    const messages: string[] = [];
    let isTooLong = false;
    const parser = createParser({
      onEvent({ event, data }) {
        if (event === undefined || event !== quietName) messages.push(data);
        else state.isQuiet = true;
      },
      onRetry: (retryMs) => (state.retryMs = retryMs),
      onError: ({ type }) => (isTooLong ||= type === 'max-buffer-size-exceeded'),
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
      for (const data of messages.splice(0)) yield parseEvent(data, url, is);
      if (isTooLong) throw invalid({ url, status }, 'its stream brought an event without an end');
    }
  } finally {
    connection.close();
  }
}

async function refusal(
  options: ResolvedClientOptions,
  connection: Connection,
  { url, state }: { readonly url: string; readonly state: StreamState },
): Promise<DurableClientError> {
  const error = options.errorOf(answerOf(url, connection.response, await connection.bytes()));
  state.isRefused = error.code === 'http_error' && !error.retryable;
  return error;
}

function parseEvent<T>(data: string, url: string, is: Guard<T>): T {
  const value = parseJson(data);
  if (is(value)) return value;
  throw invalid({ url, status: 200 }, 'its stream brought what is no event');
}

function silenceOf(url: string, limitMs: number): { limitMs: number; error: DurableClientError } {
  const message = `${url} sent nothing for ${limitMs} ms, not even a heartbeat.`;
  return { limitMs, error: new DurableClientError('timeout', message, { retryable: true }) };
}
