import type { IncomingMessage } from 'node:http';
import { AxpError } from './errors.ts';
import { isObject, type JsonObject } from './json.ts';

/**
 * Reads the body of a request, or takes what a body parser in front has made of it. No body at all is
 * `{}`, whatever its content type says: clients send both.
 * @throws AxpError 400 for what is no JSON, 413 for what is too large, 422 for what is no object.
 */
export async function readBody(req: IncomingMessage, maxBytes: number): Promise<JsonObject> {
  const parsed = parsedBody(req);
  if (parsed !== undefined) return objectOf(parsed);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(bytes);
  }
  const text = Buffer.concat(chunks).toString('utf8').trim();
  if (text === '') return {};
  try {
    return objectOf(JSON.parse(text));
  } catch (error) {
    if (error instanceof AxpError) throw error;
    throw new AxpError(400, 'invalid_json', 'The body is not JSON.');
  }
}

/** 413, for a body or a part of it. */
export function tooLarge(maxBytes: number, what = 'The body'): AxpError {
  return new AxpError(413, 'payload_too_large', `${what} is larger than ${maxBytes} bytes.`);
}

function parsedBody(req: IncomingMessage): unknown {
  // A parser that found nothing to parse leaves undefined, and the stream to whoever comes next.
  if (!('body' in req) || req.body === undefined || req.body === null) return undefined;
  const { body } = req;
  if (!Buffer.isBuffer(body) && typeof body !== 'string') return body;
  const text = body.toString().trim();
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    throw new AxpError(400, 'invalid_json', 'The body is not JSON.');
  }
}

function objectOf(value: unknown): JsonObject {
  if (isObject(value)) return value;
  throw new AxpError(422, 'schema_invalid', 'The body must be a JSON object.');
}
