import type { RouteParameter } from '../routes/route-parameter.ts';

/** What the values of parameters are taken from: a request, or the stored form of one. */
export interface ParameterSources {
  readonly body: unknown;
  readonly params: unknown;
  readonly query: unknown;
  readonly headers: unknown;
  readonly hosts?: unknown;
  readonly ip?: unknown;
}

/** The value of a parameter before any pipe, as Nest takes it. */
export function extract({ source, key }: RouteParameter, from: ParameterSources): unknown {
  switch (source) {
    case 'body':
      return pick(from.body, key);
    case 'query':
      return pick(from.query, key);
    case 'param':
      return pick(from.params, key);
    case 'host':
      return pick(from.hosts, key);
    case 'header':
      return pick(from.headers, key?.toLowerCase());
    case 'ip':
      return from.ip;
    case 'custom':
    case 'context':
      return undefined;
  }
}

/** Whether Nest runs pipes on a parameter. */
export function isPiped({ source }: RouteParameter): boolean {
  return source === 'body' || source === 'query' || source === 'param' || source === 'custom';
}

function pick(from: unknown, key: string | undefined): unknown {
  if (key === undefined) return from;
  // Nest hands over an empty body as it is, whatever part of it is asked for.
  if (from === undefined || from === null || from === '') return from;
  return Object.hasOwn(Object(from), key) ? Reflect.get(Object(from), key) : undefined;
}
