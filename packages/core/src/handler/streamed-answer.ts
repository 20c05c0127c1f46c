/**
 * Whether a handler returned what gives its answer bit by bit: an async generator or another async iterator,
 * or a web stream. A stream of Node's is none, since it is often on its way into the response already.
 */
export function isStreamedAnswer(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Symbol.asyncIterator in value &&
    !('pipe' in value)
  );
}

/** A chunk of such an answer as it is sent: text and bytes as they are, anything else as a line of JSON. */
export function encodeAnswerChunk(chunk: unknown): string | Uint8Array {
  const isRaw = typeof chunk === 'string' || chunk instanceof Uint8Array;
  return isRaw ? chunk : `${JSON.stringify(chunk)}\n`;
}

/** The content type of such an answer by its first chunk, where its handler names none. */
export function answerTypeOf(first: unknown): string {
  if (typeof first === 'string') return 'text/plain; charset=utf-8';
  return first instanceof Uint8Array ? 'application/octet-stream' : 'application/x-ndjson';
}
