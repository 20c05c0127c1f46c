import { mergeVary, sendReply, type PlainReply } from '@durable-api/core';
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Prepares Fastify's reply and returns the payload that the handler shall resolve to. A stream is
 * written past Fastify, with the headers that hooks have set: nothing may hold back, serialise,
 * compress or time out what it sends.
 */
export function sendPlain(
  plain: PlainReply,
  request: FastifyRequest,
  reply: FastifyReply,
): string | Uint8Array | undefined {
  if (plain.kind === 'stream') {
    const { raw } = reply;
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) raw.setHeader(name, value);
    }
    reply.hijack();
    sendReply(plain, raw, request.method);
    return undefined;
  }
  const { headers, body, status } = plain;
  const earlier = reply.getHeader('vary');
  reply.code(status).headers(headers);
  if (earlier !== undefined) reply.header('vary', mergeVary(earlier, headers['vary']) ?? earlier);
  if (body.length === 0) return undefined;
  // A hook may have chosen a serializer for what the handler returns; this is text already.
  if (typeof body === 'string') reply.serializer(String);
  return body;
}
