import { randomUUID } from 'node:crypto';
import type { CapturedRequest, RequestParts } from '@durable-api/core';
import type { FastifyRequest } from 'fastify';
import type { Captured, DurableRouteOptions } from './options.ts';
import { rawInputs, type InputPart, type RawInputs, type StoredInputs } from './raw-inputs.ts';

/**
 * The headers that are stored with a request. None of them may carry a credential, so a header must be
 * on this list to be stored.
 */
const STORED_HEADERS = [
  'accept',
  'accept-language',
  'content-language',
  'content-type',
  'host',
  'origin',
  'traceparent',
  'tracestate',
  'user-agent',
  'x-correlation-id',
  'x-request-id',
] as const;

/** What authentication leaves on a request. A handler that silently went without would act for nobody. */
const IDENTITY = ['user', 'auth', 'session'] as const;

/** What is stored of a request beside its body. */
export interface StoredRequest {
  /** Fastify's id of the request, so that the attempt logs under the same. */
  readonly id: string;
  readonly originalUrl: string;
  /** The URL that Fastify routed by. */
  readonly url: string;
  readonly params: unknown;
  readonly query: unknown;
  readonly headers: Readonly<NodeJS.Dict<string | string[]>>;
  readonly isSecure: boolean;
  readonly captured: Captured;
  /** What the request had of {@link IDENTITY} and that was not captured. */
  readonly dropped: readonly string[];
  /** The parts that are stored as they were before validation, which runs again at the attempt. */
  readonly raw: readonly InputPart[];
}

/**
 * Takes of a submit what its attempts need; at once, unless `capture` is a function. `raw` is how its
 * inputs were before validation.
 */
export function captureRequest(
  request: FastifyRequest,
  capture: DurableRouteOptions['capture'],
  raw: RawInputs | undefined,
): CapturedRequest | Promise<CapturedRequest> {
  const inputs = rawInputs(request, raw);
  if (typeof capture === 'function') return captureWith(request, capture, inputs);
  const captured: Captured =
    capture === undefined
      ? {}
      : Object.fromEntries(capture.map((name) => [name, Reflect.get(request, name)]));
  const dropped = IDENTITY.filter((name) => isSet(request, name) && !(name in captured));
  return toCaptured(request, inputs, captured, dropped);
}

/** A function decides for itself what the handler needs. */
async function captureWith(
  request: FastifyRequest,
  capture: (request: FastifyRequest) => Captured | Promise<Captured>,
  inputs: StoredInputs,
): Promise<CapturedRequest> {
  return toCaptured(request, inputs, await capture(request), []);
}

function toCaptured(
  request: FastifyRequest,
  { body, params, query, raw }: StoredInputs,
  captured: Captured,
  dropped: readonly string[],
): CapturedRequest {
  const { id, originalUrl, url, protocol, headers: given } = request;
  const headers: NodeJS.Dict<string | string[]> = {};
  for (const name of STORED_HEADERS) {
    const value = given[name];
    if (value !== undefined) headers[name] = value;
  }
  const isSecure = protocol === 'https';
  const rest: StoredRequest = {
    id,
    originalUrl,
    url,
    params,
    query,
    headers,
    isSecure,
    captured,
    dropped,
    raw,
  };
  return { identity: { method: 'POST', url: originalUrl }, body, rest: { ...rest } };
}

/** What a submit from code, which has no request, leaves out. */
const EMPTY: Omit<StoredRequest, 'id'> = {
  originalUrl: '/',
  url: '/',
  params: {},
  query: {},
  headers: {},
  isSecure: false,
  captured: {},
  dropped: [],
  raw: [],
};

/** The same for an intent that code starts: its inputs are validated at the attempt. `url` is the route's. */
export function composeRequest(
  { params = {}, query = {}, headers, captured }: RequestParts,
  url: string,
  capture: DurableRouteOptions['capture'],
): StoredRequest {
  const path = url.replaceAll(/:(\w+)/g, (all, name: string) => {
    const value = params[name];
    return value === undefined ? all : encodeURIComponent(value);
  });
  return {
    ...EMPTY,
    id: randomUUID(),
    originalUrl: path,
    url: path,
    params,
    query,
    headers: { 'content-type': 'application/json', ...headers },
    captured: captured ?? {},
    // Without what `capture` would have kept, nobody is taken for somebody who has not signed in.
    dropped: capture === undefined || captured !== undefined ? [] : IDENTITY,
    raw: ['body', 'params', 'query'],
  };
}

/**
 * Reads back the part of a stored input that {@link captureRequest} made of a request, or that a submit
 * from code gave instead.
 */
export function readStoredRequest(rest: Readonly<Record<string, unknown>>): StoredRequest {
  if (isStoredRequest(rest)) return rest;
  const filled: object = { id: randomUUID(), ...EMPTY, ...rest };
  if (isStoredRequest(filled)) return filled;
  throw new TypeError('The stored request is not one of @durable-api/fastify.');
}

// Decorators begin as null or as an empty string, for want of a better value.
function isSet(request: FastifyRequest, name: string): boolean {
  const value: unknown = name in request ? Reflect.get(request, name) : undefined;
  return value !== undefined && value !== null && value !== '';
}

function isStoredRequest(rest: object): rest is StoredRequest {
  return (
    'originalUrl' in rest &&
    typeof rest.originalUrl === 'string' &&
    'url' in rest &&
    'headers' in rest &&
    typeof rest.headers === 'object' &&
    'captured' in rest &&
    'dropped' in rest &&
    'raw' in rest
  );
}
