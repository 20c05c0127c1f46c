import { STATUS_CODES } from 'node:http';
import { Readable } from 'node:stream';
import {
  EXCHANGE_HEADERS,
  isHttpError,
  isStreamedAnswer,
  resultTooLarge,
  type StoredResponse,
} from '@durable-api/core';
import { HttpException, StreamableFile } from '@nestjs/common';
import type { Platform } from '../platform/platform.ts';
import type { DurableRoute } from '../routes/durable-route.ts';
import { readStreamed, type Show } from './streamed-result.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const BYTES_TYPE = 'application/octet-stream';
/** The type of a text without one, which differs between the platforms. */
const TEXT_TYPES = {
  express: 'text/html; charset=utf-8',
  fastify: 'text/plain; charset=utf-8',
} as const;

/**
 * The response that Nest would have sent for what a method returned. What it gives bit by bit is shown to
 * observers as it comes.
 */
export async function responseOf(
  route: DurableRoute,
  value: unknown,
  platform: Platform['type'],
  maxBytes: number,
  show: Show,
): Promise<StoredResponse> {
  const { status } = route;
  const declared = declaredHeaders(route);
  if (isStreamedAnswer(value)) {
    const { contentType, bytes } = await readStreamed(
      value,
      declared['content-type'],
      maxBytes,
      show,
    );
    return { status, headers: { ...declared, 'content-type': contentType }, body: bytes };
  }
  const body = await encodeBody(value, platform, maxBytes);
  const headers = { ...body.headers, ...declared };
  const type = headers['content-type'];
  // Express says the charset of whatever it was given as text.
  if (body.isText && platform === 'express' && type !== undefined && !/charset=/i.test(type)) {
    headers['content-type'] = `${type}; charset=utf-8`;
  }
  return { status, headers, body: body.bytes };
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
    if (typeof message === 'object') return { status, body: message };
    const { errorCode }: { errorCode?: unknown } = thrown;
    const coded = errorCode !== undefined && { errorCode };
    return { status, body: { statusCode: status, message, ...coded } };
  }
  // What Nest's own filter does with the errors of `http-errors`.
  if (!isHttpError(thrown)) return null;
  const { statusCode, expose, message } = thrown;
  const shown = expose ? message : (STATUS_CODES[statusCode] ?? 'Error');
  return { status: statusCode, body: { statusCode, message: shown } };
}

interface EncodedBody {
  /** Whether it was a text or JSON, not bytes. */
  readonly isText: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

async function encodeBody(
  value: unknown,
  platform: Platform['type'],
  maxBytes: number,
): Promise<EncodedBody> {
  if (value === undefined || value === null)
    return { isText: false, headers: {}, bytes: Buffer.alloc(0) };
  if (value instanceof StreamableFile) {
    const { type, disposition } = value.getHeaders();
    const headers: Record<string, string> = { 'content-type': type };
    if (disposition !== undefined) headers['content-disposition'] = [disposition].flat().join(', ');
    return { isText: false, headers, bytes: await readAll(value.getStream(), maxBytes) };
  }
  if (value instanceof Uint8Array || value instanceof Readable) {
    const bytes = value instanceof Readable ? await readAll(value, maxBytes) : value;
    return { isText: false, headers: { 'content-type': BYTES_TYPE }, bytes };
  }
  const isJson = typeof value === 'object' || (typeof value !== 'string' && platform === 'fastify');
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const type = isJson ? JSON_TYPE : TEXT_TYPES[platform];
  return { isText: true, headers: { 'content-type': type }, bytes: Buffer.from(text) };
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
    // A cookie is one client's, and the result is served to whoever asks.
    if (EXCHANGE_HEADERS.has(key) || key === 'set-cookie') continue;
    declared[key] = String(typeof value === 'function' ? value() : value);
  }
  return declared;
}
