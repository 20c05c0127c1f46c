import type { CapturedRequest, StoredInput } from './exchange.ts';
import { canonicalJson, hashParts } from './fingerprint.ts';
import { checkPayload, checkPayloadSize, type PayloadLimits } from './payload.ts';

/** A request in the form that is stored. */
export interface EncodedInput {
  readonly json: string;
  /** The hash by which two requests with one idempotency key are compared; computed when called. */
  fingerprint(): string;
}

/**
 * Checks a captured request and serialises it, once.
 * @throws DurableError when its payload is refused; see {@link checkPayload}.
 */
export function encodeInput(captured: CapturedRequest, limits: PayloadLimits): EncodedInput {
  const { body, rest, identity } = captured;
  const isBytes = body instanceof Uint8Array;
  if (!isBytes) checkPayload(body, limits);
  checkPayload(rest, { ...limits, maxPayloadDepth: limits.maxPayloadDepth + 2 }, 'request');
  const key = isBytes ? 'bytes' : 'body';
  const value = isBytes ? Buffer.from(body).toString('base64') : body;
  const payload = value === undefined ? undefined : JSON.stringify(value);
  if (payload !== undefined) checkPayloadSize(payload, limits);
  const restJson = JSON.stringify(rest);
  const json =
    payload === undefined ? `{"rest":${restJson}}` : `{"${key}":${payload},"rest":${restJson}}`;
  return {
    json,
    fingerprint: () => {
      const form = isBytes ? 'bytes' : payload === undefined ? 'none' : 'json';
      // Of what is stored: a value that a middleware made, such as a date, is its text there.
      const stored = payload === undefined ? '' : canonicalJson(JSON.parse(payload));
      return hashParts([identity.method, identity.url, stored, form]);
    },
  };
}

/** Reads back what {@link encodeInput} wrote. */
export function decodeInput(input: unknown): { body: unknown; rest: Record<string, unknown> } {
  if (!isStoredInput(input)) throw new TypeError('The stored input is not one of this version.');
  const body = input.bytes === undefined ? input.body : Buffer.from(input.bytes, 'base64');
  return { body, rest: { ...input.rest } };
}

function isStoredInput(input: unknown): input is StoredInput {
  return (
    typeof input === 'object' &&
    input !== null &&
    'rest' in input &&
    typeof input.rest === 'object' &&
    input.rest !== null
  );
}
