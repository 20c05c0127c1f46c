import { usage } from './options.ts';

/** A fresh key of 128 random bits. Browsers have `crypto.randomUUID` on secure pages only. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A key as the header bears it: quoted, as the draft has it, since it may have spaces and commas. */
export function quoteKey(key: string): string {
  return `"${checkKey(key).replace(/["\\]/g, '\\$&')}"`;
}

/** The key, if it is one. @throws DurableClientError `usage` */
export function checkKey(key: string): string {
  if (/^[\x20-\x7e]{1,255}$/.test(key)) return key;
  throw usage('An idempotency key takes 1 to 255 visible ASCII characters.');
}
