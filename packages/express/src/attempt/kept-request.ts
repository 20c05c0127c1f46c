import { NonRetryableError, type RequestParts } from '@durable-api/core';
import type { Request } from 'express';

/** What is stored of a request beside its body; a JSON object. */
export interface KeptRequest {
  readonly originalUrl: string;
  readonly baseUrl: string;
  readonly url: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly isSecure: boolean;
  /** What the operation's `capture` gave. */
  readonly captured?: unknown;
  /** Names of {@link IDENTITY} that the request had and that were not kept. */
  readonly dropped?: readonly string[];
}

/**
 * The headers that are stored with a request. None of them may carry a credential, so a header must be
 * on this list to be kept.
 */
const KEPT_HEADERS = [
  'accept',
  'accept-language',
  'content-language',
  'content-length',
  'content-type',
  'host',
  'origin',
  'traceparent',
  'tracestate',
  'transfer-encoding',
  'user-agent',
  'x-correlation-id',
  'x-request-id',
] as const;

/** What authentication leaves on a request. A handler that silently went without would act for nobody. */
const IDENTITY = ['user', 'auth', 'session'] as const;

/** The part of a submit's request that its attempts will be given. */
export function keepRequest(req: Request, captured: unknown): KeptRequest {
  const headers: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = req.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  const dropped = captured === undefined ? IDENTITY.filter((name) => isSet(req, name)) : [];
  return {
    originalUrl: req.originalUrl,
    baseUrl: req.baseUrl,
    url: req.url,
    params: req.params,
    query: queryOf(req),
    headers,
    isSecure: req.secure,
    ...(captured !== undefined && { captured }),
    ...(dropped.length > 0 && { dropped }),
  };
}

// Express 5 parses at every look, and most requests have none.
function queryOf(req: Request): KeptRequest['query'] {
  return req.url.includes('?') || Object.hasOwn(req, 'query') ? req.query : {};
}

/** What a submit from code, which has no request, leaves out. */
const EMPTY: KeptRequest = {
  originalUrl: '/',
  baseUrl: '',
  url: '/',
  params: {},
  query: {},
  headers: {},
  isSecure: false,
};

/**
 * The same for an intent that code starts. `captures` is whether the operation has a `capture`: without what
 * that would have kept, nobody is taken for somebody who has not signed in.
 */
export function composeKept(parts: RequestParts, captures: boolean): KeptRequest {
  const { params = {}, query = {}, headers, captured } = parts;
  return {
    ...EMPTY,
    params,
    query,
    headers: { 'content-type': 'application/json', ...headers },
    ...(captured !== undefined && { captured }),
    ...(captures && captured === undefined && { dropped: IDENTITY }),
  };
}

/**
 * Reads back what {@link keepRequest} gave, or a submit from code gave instead.
 * @throws TypeError when it is something else.
 */
export function readKept(rest: Readonly<Record<string, unknown>>): KeptRequest {
  if (isKept(rest)) return rest;
  const filled: object = { ...EMPTY, ...rest };
  if (isKept(filled)) return filled;
  throw new TypeError('The stored request was not stored by this adapter.');
}

/** Gives a request of an attempt what was kept of the submit's. */
export function restoreRequest(req: Request, kept: KeptRequest, body: unknown): void {
  req.originalUrl = kept.originalUrl;
  req.baseUrl = kept.baseUrl;
  req.url = kept.url;
  Reflect.set(req, 'params', { ...kept.params });
  req.body = body;
  // In Express 5 the prototype has a getter only, which an assignment does not get past.
  Object.defineProperty(req, 'query', {
    value: kept.query,
    writable: true,
    configurable: true,
    enumerable: true,
  });
  for (const name of kept.dropped ?? []) refuse(req, name);
}

function refuse(req: Request, name: string): void {
  Object.defineProperty(req, name, {
    configurable: true,
    enumerable: false,
    get: () => {
      throw new NonRetryableError(
        `req.${name} is not stored with an operation. Say what the handler needs of it: ` +
          `api.operation(handler, { capture: (req) => ({ ${name}: req.${name} }) }), and of a child ` +
          `start(operation, body, { captured: { ${name} } }).`,
      );
    },
    set: (value: unknown) => {
      Object.defineProperty(req, name, { value, writable: true, configurable: true });
    },
  });
}

function isSet(req: Request, name: string): boolean {
  return name in req && Reflect.get(req, name) !== undefined;
}

function isKept(rest: object): rest is KeptRequest {
  return (
    'originalUrl' in rest &&
    typeof rest.originalUrl === 'string' &&
    'url' in rest &&
    typeof rest.url === 'string' &&
    'headers' in rest &&
    typeof rest.headers === 'object' &&
    'params' in rest &&
    typeof rest.params === 'object' &&
    'query' in rest &&
    typeof rest.query === 'object'
  );
}
