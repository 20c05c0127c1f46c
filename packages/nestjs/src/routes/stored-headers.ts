import type { RouteParameter } from './route-parameter.ts';

/** The request headers that are always stored; none of them may carry a credential. */
const ALWAYS = [
  'accept',
  'accept-language',
  'content-type',
  'host',
  'idempotency-key',
  'traceparent',
  'tracestate',
  'user-agent',
  'x-correlation-id',
  'x-request-id',
] as const;

/** The request headers that are stored for a method with these parameters: some always, and those it names. */
export function storedHeaders(parameters: readonly RouteParameter[]): readonly string[] {
  const named = parameters.flatMap(({ source, key }) =>
    source === 'header' && key !== undefined ? [key.toLowerCase()] : [],
  );
  return [...new Set([...ALWAYS, ...named])];
}
