import { hasLeft, type CapturedRequest, type PlainRequest } from '@durable-api/core';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** What a Fastify request asks of an operation. */
export interface Asked {
  /** What follows the operation's own path; `/` for the operation itself. */
  readonly subPath: string;
  /** How many segments of the path that is. */
  readonly segmentCount: number;
  readonly capture: () => CapturedRequest | Promise<CapturedRequest>;
}

/** Translates a request for core. */
export function plainRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  { subPath, segmentCount, capture }: Asked,
): PlainRequest<FastifyRequest> {
  const { originalUrl } = request;
  const mark = originalUrl.indexOf('?');
  return {
    source: request,
    method: request.method,
    operationPath: withoutSegments(
      mark === -1 ? originalUrl : originalUrl.slice(0, mark),
      segmentCount,
    ),
    subPath,
    query: mark === -1 ? '' : originalUrl.slice(mark + 1),
    headers: request.headers,
    capture,
    body: () => request.body,
    onClose(listener) {
      if (hasLeft(reply.raw)) listener();
      else reply.raw.on('close', listener);
    },
  };
}

function withoutSegments(path: string, count: number): string {
  let end = path.endsWith('/') ? path.length - 1 : path.length;
  for (let i = 0; i < count; i++) end = path.lastIndexOf('/', end - 1);
  return end <= 0 ? '/' : path.slice(0, end);
}
