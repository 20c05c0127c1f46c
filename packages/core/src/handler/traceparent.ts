/** W3C Trace Context, version 00 and later ones that keep its form. */
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/;

/** The `traceparent` among the headers that an adapter stored with the request. */
export function traceparentOf(input: unknown): string | undefined {
  const value = member(headersOf(input), 'traceparent');
  return typeof value === 'string' && TRACEPARENT.test(value) ? value : undefined;
}

/** The headers by which what a handler starts is part of the same trace. */
export function traceHeadersOf(input: unknown): Record<string, string> {
  const traceparent = traceparentOf(input);
  if (traceparent === undefined) return {};
  const tracestate = member(headersOf(input), 'tracestate');
  return { traceparent, ...(typeof tracestate === 'string' && { tracestate }) };
}

function headersOf(input: unknown): unknown {
  const rest = member(input, 'rest');
  return member(rest, 'headers') ?? member(member(rest, 'request'), 'headers');
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
