import { isDeepStrictEqual } from 'node:util';
import { DurableError, type CapturedRequest, type RequestParts } from '@durable-api/core';
import type { DurableRequest, StoredRequest } from '../durable-request.ts';
import type { Platform } from '../platform/platform.ts';
import type { DurableRoute } from '../routes/durable-route.ts';
import { mountError } from '../routes/mount-error.ts';
import type { RouteParameter } from '../routes/route-parameter.ts';
import { extract, isPiped, type ParameterSources } from './extract.ts';
import { isJson } from './is-json.ts';

/**
 * How a piped parameter gets its value at an attempt: the one that the pipes made, or the one in the
 * request with the pipes run on it again.
 */
type StoredValue = { readonly value: unknown } | 'pipes';

/** What is stored of a call of a durable method beside the request's body. */
export interface StoredCall {
  readonly request: Omit<StoredRequest, 'body'>;
  /**
   * By the index of the parameter; what is absent is as the request has it. Null for a submit from
   * code, which no pipes have seen.
   */
  readonly values: Readonly<Record<string, StoredValue>> | null;
  readonly captured: Readonly<Record<string, unknown>>;
  /** The platform whose way of answering the method is used to. */
  readonly platform: Platform['type'];
}

/** What {@link captureCall} takes. */
export interface CallToStore {
  readonly route: DurableRoute;
  readonly request: DurableRequest;
  /** What guards, interceptors and pipes made of the parameters. */
  readonly values: readonly unknown[];
  readonly captured: Readonly<Record<string, unknown>>;
  readonly platform: Platform['type'];
}

/** Takes of a submit what its attempts need. */
export function captureCall(call: CallToStore): CapturedRequest {
  const { route, request, values, captured, platform } = call;
  const { method, originalUrl, body } = request;
  if (body === undefined) checkUnparsed(request);
  const stored = storedRequest(route, request);
  const rest: StoredCall = {
    request: stored,
    values: storedValues(route, { ...stored, body }, values),
    captured,
    platform,
  };
  return { identity: { method, url: originalUrl }, body, rest: { ...rest } };
}

/** The same for an intent that code starts, which no pipes have seen: they run at the attempt. */
export function composeCall(
  { params = {}, query = {}, headers, captured }: RequestParts,
  platform: Platform['type'],
): StoredCall {
  const own = { 'content-type': 'application/json', ...headers };
  const request = { ...EMPTY_REQUEST, params, query, headers: own };
  return { request, values: null, captured: captured ?? {}, platform };
}

/** Reads back what {@link captureCall} stored. */
export function readStoredCall(rest: Readonly<Record<string, unknown>>): StoredCall {
  const { request, values, captured, platform } = rest;
  return {
    request: { ...EMPTY_REQUEST, ...record(request) },
    values: values === undefined || values === null ? null : readValues(record(values)),
    captured: record(captured),
    platform: platform === 'fastify' ? 'fastify' : 'express',
  };
}

const EMPTY_REQUEST: Omit<StoredRequest, 'body'> = {
  method: 'POST',
  originalUrl: '/',
  url: '/',
  params: {},
  query: {},
  headers: {},
  ip: undefined,
  hosts: {},
};

function storedRequest(route: DurableRoute, request: DurableRequest): Omit<StoredRequest, 'body'> {
  const { method, originalUrl, params, query, ip } = request;
  const headers: Record<string, string> = {};
  for (const name of route.storedHeaders) {
    const value = request.headers[name];
    if (value !== undefined) headers[name] = String(value);
  }
  return {
    method,
    originalUrl,
    url: originalUrl,
    params: record(params),
    query: record(query),
    headers,
    ip,
    hosts: 'hosts' in request ? record(request.hosts) : {},
  };
}

function storedValues(
  route: DurableRoute,
  from: ParameterSources,
  values: readonly unknown[],
): Record<string, StoredValue> {
  const stored: Record<string, StoredValue> = {};
  for (const parameter of route.parameters) {
    if (!isPiped(parameter)) continue;
    const value = values[parameter.index];
    const raw = extract(parameter, from);
    if (value === raw) continue;
    if (!isJson(value)) {
      if (parameter.source === 'custom') throw notJson(route, parameter, value);
      stored[parameter.index] = 'pipes';
    } else if (!isDeepStrictEqual(value, raw)) stored[parameter.index] = { value };
  }
  return stored;
}

function notJson(
  { type, method }: DurableRoute,
  { index }: RouteParameter,
  value: unknown,
): DurableError {
  const what = Object.prototype.toString.call(value).slice(8, -1);
  const name =
    typeof value === 'object' && value !== null ? (value.constructor?.name ?? what) : what;
  return mountError(
    { type: type.name, method },
    `the decorator of parameter ${index} returned a value of type ${name}, which JSON does not ` +
      'bring back. Let it return plain data, such as an id.',
  );
}

/** @throws DurableError `payload_not_json` when there is a body that no parser took. */
function checkUnparsed({ headers }: DurableRequest): void {
  const length = headers['content-length'];
  if (headers['transfer-encoding'] === undefined && (length === undefined || length === '0'))
    return;
  throw new DurableError(
    'payload_not_json',
    `No body parser of the app takes "${headers['content-type'] ?? ''}". Send application/json, or ` +
      'add a parser with app.useBodyParser().',
  );
}

function readValues(values: Readonly<Record<string, unknown>>): Record<string, StoredValue> {
  return Object.fromEntries(
    Object.entries(values).map(([index, stored]) => [
      index,
      typeof stored === 'object' && stored !== null && 'value' in stored
        ? { value: stored.value }
        : 'pipes',
    ]),
  );
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
