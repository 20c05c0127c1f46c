import { DurableError } from '../errors.ts';

/** What a payload may be. */
export interface PayloadLimits {
  readonly maxPayloadBytes: number;
  readonly maxPayloadDepth: number;
}

/** Keys that poison prototypes when stored data is merged into objects. */
const FORBIDDEN_KEY = '__proto__';
/** A NUL, or a surrogate, which may be half of a pair. */
const SUSPECT = /[\0\ud800-\udfff]/;

/**
 * Refuses what cannot be stored faithfully in every store or would be dangerous to hand back: values
 * that are not JSON, nesting beyond the limit, NUL, lone surrogates, `__proto__`,
 * `constructor.prototype`.
 * @throws DurableError with the code of what is wrong, saying where.
 */
export function checkPayload(value: unknown, limits: PayloadLimits, path = 'body'): void {
  if (!isPlain(value, limits.maxPayloadDepth)) checkClosely(value, limits, path, 0);
}

/** Whether there is certainly nothing to refuse. Said without a path, and so at a third of the cost. */
function isPlain(value: unknown, depthLeft: number): boolean {
  if (typeof value === 'string') return !SUSPECT.test(value);
  if (value === null || value === undefined) return true;
  if (typeof value !== 'object') return typeof value === 'number' || typeof value === 'boolean';
  if (depthLeft <= 0) return false;
  if (Array.isArray(value)) {
    for (const item of value) if (!isPlain(item, depthLeft - 1)) return false;
    return true;
  }
  for (const key of Object.keys(value)) {
    if (key === FORBIDDEN_KEY || key === 'constructor' || SUSPECT.test(key)) return false;
    if (!isPlain(Reflect.get(value, key), depthLeft - 1)) return false;
  }
  return true;
}

function checkClosely(value: unknown, limits: PayloadLimits, path: string, depth: number): void {
  if (typeof value === 'string') return checkText(value, path);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return;
  if (value === undefined) return;
  if (typeof value !== 'object') {
    throw new DurableError('payload_not_json', `${path} is a ${typeof value}, which is not JSON.`);
  }
  if (depth >= limits.maxPayloadDepth) {
    const message = `The payload is nested more than ${limits.maxPayloadDepth} levels deep. Flatten it.`;
    throw new DurableError('payload_too_deep', message);
  }
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) checkClosely(item, limits, `${path}[${i}]`, depth + 1);
    return;
  }
  for (const key of Object.keys(value)) {
    checkText(key, `a key of ${path}`);
    const item: unknown = Reflect.get(value, key);
    if (key === FORBIDDEN_KEY || (key === 'constructor' && hasPrototype(item))) {
      const message = `${path} has the key "${key}". Send the request without it.`;
      throw new DurableError('payload_forbidden_key', message);
    }
    checkClosely(item, limits, `${path}.${key}`, depth + 1);
  }
}

/** Refuses a payload whose JSON is too large. @throws DurableError `payload_too_large` */
export function checkPayloadSize(json: string, limits: PayloadLimits): void {
  // A UTF-16 unit takes at most 3 bytes of UTF-8, so most payloads need no count.
  if (json.length * 3 <= limits.maxPayloadBytes) return;
  const bytes = Buffer.byteLength(json);
  if (bytes <= limits.maxPayloadBytes) return;
  const message =
    `The payload has ${bytes} bytes, the limit is ${limits.maxPayloadBytes}. ` +
    'Upload large data elsewhere and send a reference.';
  throw new DurableError('payload_too_large', message);
}

function checkText(text: string, path: string): void {
  if (text.includes('\0')) {
    throw new DurableError(
      'payload_nul',
      `${path} has a NUL character. Send it without, or as base64.`,
    );
  }
  if (!text.isWellFormed()) {
    const message = `${path} has half of a surrogate pair. Send well-formed Unicode, or base64.`;
    throw new DurableError('payload_surrogate', message);
  }
}

function hasPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype');
}
