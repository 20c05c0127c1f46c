import type { IncomingHttpHeaders } from 'node:http';
import type { CapturedRequest } from '@durable-api/core';
import type { FastifyRequest } from 'fastify';
import type { Captured, DurableRouteOptions } from './options.ts';
import { rawInputs, type InputPart, type RawInputs } from './raw-inputs.ts';

/** The request headers that are stored: harmless ones that a handler may want. */
const STORED_HEADERS = [
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

/** What is stored of a request beside its body. */
export interface StoredRequest {
  /** Fastify's id of the request, so that the attempt logs under the same. */
  readonly id: string;
  readonly originalUrl: string;
  /** The URL that Fastify routed by. */
  readonly url: string;
  readonly params: unknown;
  readonly query: unknown;
  readonly headers: IncomingHttpHeaders;
  readonly captured: Captured;
  /** The parts that are stored as they were before validation, which runs again at the attempt. */
  readonly raw: readonly InputPart[];
}

/** Takes of a submit what its attempts need. `raw` is how its inputs were before validation. */
export async function captureRequest(
  request: FastifyRequest,
  capture: DurableRouteOptions['capture'],
  raw: RawInputs | undefined,
): Promise<CapturedRequest> {
  const { originalUrl, url } = request;
  const inputs = rawInputs(request, raw);
  const headers: IncomingHttpHeaders = {};
  for (const name of STORED_HEADERS) {
    const value = request.headers[name];
    if (value !== undefined) Object.assign(headers, { [name]: value });
  }
  const rest: StoredRequest = {
    id: request.id,
    originalUrl,
    url,
    params: inputs.params,
    query: inputs.query,
    headers,
    captured: await capturedValues(request, capture),
    raw: inputs.raw,
  };
  return { identity: { method: 'POST', url: originalUrl }, body: inputs.body, rest: { ...rest } };
}

/** Reads back the part of a stored input that {@link captureRequest} made of a request. */
export function readStoredRequest(rest: Readonly<Record<string, unknown>>): StoredRequest {
  if (!isStoredRequest(rest)) {
    throw new TypeError('The stored request is not one of @durable-api/fastify.');
  }
  return rest;
}

function capturedValues(
  request: FastifyRequest,
  capture: DurableRouteOptions['capture'],
): Captured | Promise<Captured> {
  if (capture === undefined) return {};
  if (typeof capture === 'function') return capture(request);
  return Object.fromEntries(capture.map((name) => [name, Reflect.get(request, name)]));
}

function isStoredRequest(rest: object): rest is StoredRequest {
  return (
    'originalUrl' in rest &&
    'url' in rest &&
    'headers' in rest &&
    'captured' in rest &&
    'raw' in rest
  );
}
