import { Readable } from 'node:stream';
import { resultTooLarge, type StoredResponse } from '@durable-api/core';
import { HttpException, StreamableFile } from '@nestjs/common';
import type { Platform } from '../platform/platform.ts';
import type { DurableRoute } from '../routes/durable-route.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const BYTES_TYPE = 'application/octet-stream';
/** The type of a text without one, which differs between the platforms. */
const TEXT_TYPES = {
  express: 'text/html; charset=utf-8',
  fastify: 'text/plain; charset=utf-8',
} as const;

/** Headers that belong to one exchange or one client, so that a stored response has none of them. */
const NOT_STORED = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'set-cookie',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The response that Nest would have sent for what a method returned. */
export async function responseOf(
  route: DurableRoute,
  value: unknown,
  platform: Platform['type'],
  maxBytes: number,
): Promise<StoredResponse> {
  const { status } = route;
  const body = await encodeBody(value, platform, maxBytes);
  return { status, headers: { ...body.headers, ...declaredHeaders(route) }, body: body.bytes };
}

/**
 * The response that Nest would have sent for what a method threw, if it is a client's fault; null when
 * the attempt has failed.
 */
export function responseOfThrow(route: DurableRoute, thrown: unknown): StoredResponse | null {
  const answer = answerOf(thrown);
  if (answer === null || answer.status >= 500) return null;
  const headers = { ...declaredHeaders(route), 'content-type': JSON_TYPE };
  return { status: answer.status, headers, body: Buffer.from(JSON.stringify(answer.body)) };
}

function answerOf(thrown: unknown): { status: number; body: unknown } | null {
  if (thrown instanceof HttpException) {
    const status = thrown.getStatus();
    const message = thrown.getResponse();
    return {
      status,
      body: typeof message === 'object' ? message : { statusCode: status, message },
    };
  }
  // What Nest's own filter does with the errors of `http-errors`.
  if (!(thrown instanceof Error) || !('statusCode' in thrown)) return null;
  const { statusCode, message } = thrown;
  if (typeof statusCode !== 'number' || statusCode < 400) return null;
  return { status: statusCode, body: { statusCode, message } };
}

interface EncodedBody {
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

async function encodeBody(
  value: unknown,
  platform: Platform['type'],
  maxBytes: number,
): Promise<EncodedBody> {
  if (value === undefined || value === null) return { headers: {}, bytes: Buffer.alloc(0) };
  if (value instanceof StreamableFile) {
    const { type, disposition } = value.getHeaders();
    const headers: Record<string, string> = { 'content-type': type };
    if (disposition !== undefined) headers['content-disposition'] = [disposition].flat().join(', ');
    return { headers, bytes: await readAll(value.getStream(), maxBytes) };
  }
  if (value instanceof Uint8Array) return { headers: { 'content-type': BYTES_TYPE }, bytes: value };
  if (value instanceof Readable) {
    return { headers: { 'content-type': BYTES_TYPE }, bytes: await readAll(value, maxBytes) };
  }
  if (typeof value === 'object' || (typeof value !== 'string' && platform === 'fastify')) {
    return { headers: { 'content-type': JSON_TYPE }, bytes: Buffer.from(JSON.stringify(value)) };
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return { headers: { 'content-type': TEXT_TYPES[platform] }, bytes: Buffer.from(text) };
}

async function readAll(stream: Readable, maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const part = Buffer.from(chunk);
    bytes += part.byteLength;
    if (bytes > maxBytes) throw resultTooLarge(bytes, maxBytes);
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}

function declaredHeaders({ headers }: DurableRoute): Record<string, string> {
  const declared: Record<string, string> = {};
  for (const { name, value } of headers) {
    const key = name.toLowerCase();
    if (NOT_STORED.has(key)) continue;
    declared[key] = String(typeof value === 'function' ? value() : value);
  }
  return declared;
}
