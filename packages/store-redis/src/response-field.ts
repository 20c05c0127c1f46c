import type { StoredResponse } from '@durable-api/core';

const LINE_FEED = 0x0a;

/** A response as one field: a line of JSON with status and headers, and then the body as it is. */
export function packResponse({ status, headers, body }: StoredResponse): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify({ status, headers })}\n`), body]);
}

/** Reads back what {@link packResponse} packed. */
export function unpackResponse(field: Buffer): StoredResponse {
  const lineEnd = field.indexOf(LINE_FEED);
  // Of its own memory: a view would keep the whole reply alive, and a Buffer is no plain Uint8Array.
  const body = Uint8Array.from(field.subarray(lineEnd + 1));
  return { ...JSON.parse(field.toString('utf8', 0, lineEnd)), body };
}
