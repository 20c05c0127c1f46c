import { DurableError } from '../errors.ts';

/** Visible ASCII and space, 1 to 255 of them. */
const KEY = /^[\x20-\x7e]{1,255}$/;

/** An sf-string and the parameters that may follow it, which say nothing here (RFC 9651 §3.3). */
const QUOTED =
  /^"((?:[^"\\]|\\["\\])*)"(?:; *[a-z*][a-z0-9_.*-]*(?:=(?:"(?:[^"\\]|\\["\\])*"|[^\s";,]+))?)*$/;

/**
 * Parses an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a structured-field
 * string (RFC 9651) or the bare token that most clients send; both spell the same key.
 * @throws DurableError `idempotency_key_invalid`, or `idempotency_key_required` when it must be there.
 */
export function parseIdempotencyKey(
  header: string | string[] | undefined,
  isRequired: boolean,
): string | null {
  if (header === undefined) {
    if (!isRequired) return null;
    throw new DurableError(
      'idempotency_key_required',
      'Send an Idempotency-Key header, for instance a fresh UUID, and the same one when you retry.',
    );
  }
  if (Array.isArray(header)) throw invalid('There is more than one Idempotency-Key header.');
  const text = header.trim();
  const key = text.startsWith('"') ? unquote(text) : text;
  if (!KEY.test(key) || (!text.startsWith('"') && /[\s",]/.test(key))) {
    throw invalid('It takes 1 to 255 visible ASCII characters, bare or as a quoted string.');
  }
  return key;
}

function unquote(text: string): string {
  const quoted = QUOTED.exec(text)?.[1];
  if (quoted === undefined) throw invalid('The quoted string is malformed.');
  return quoted.replace(/\\(["\\])/g, '$1');
}

function invalid(what: string): DurableError {
  return new DurableError('idempotency_key_invalid', `${what} Use for instance a fresh UUID.`);
}
