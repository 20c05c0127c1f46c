import type { StoredResponse } from './intent.ts';

/** The largest JSON result that travels inside the `intent.completed` event, in bytes. */
const MAX_INLINE_BYTES = 16 * 1024;
/** The deepest nesting of such a result: `JSON.stringify` overflows the stack where `JSON.parse` does not. */
const MAX_INLINE_DEPTH = 64;

/**
 * The details of `intent.completed`: the handler's status and, when its body is JSON of at most
 * 16 KiB and 64 levels, the body itself as `result`. A larger or other one is fetched from the result link.
 */
export function inlineResult(response: StoredResponse): Record<string, unknown> {
  const type = response.headers['content-type'];
  const details: Record<string, unknown> = { status_code: response.status };
  if (type !== undefined) details['content_type'] = type;
  if (type === undefined || !/^application\/(?:[\w.+-]+\+)?json\b/i.test(type)) return details;
  if (response.body.byteLength === 0 || response.body.byteLength > MAX_INLINE_BYTES) return details;
  try {
    const { buffer, byteOffset, byteLength } = response.body;
    const text = Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
    const result: unknown = JSON.parse(text);
    if (isWithin(MAX_INLINE_DEPTH, result)) details['result'] = result;
  } catch {
    // A handler may label as JSON what is none; its bytes are still there to be fetched.
  }
  return details;
}

function isWithin(depth: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((item) => isWithin(depth - 1, item));
}
