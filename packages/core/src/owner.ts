import { DurableError } from './errors.ts';

/** The longest owner, in bytes: an index of Postgres takes no more than 2,704. */
const MAX_BYTES = 1_024;

/**
 * The owner as stores can keep it. Databases make one character of all lone surrogates, so that one
 * owner could pass for another, some take no NUL, and what is too long for an index fails the whole batch.
 * @throws DurableError `owner_forbidden` for anything but well-formed text of at most 1,024 bytes without a NUL
 */
export function checkOwner(owner: unknown): string {
  const isFit =
    typeof owner === 'string' &&
    owner.isWellFormed() &&
    !owner.includes('\0') &&
    // A UTF-16 unit takes at most 3 bytes of UTF-8, so most need no count.
    (owner.length * 3 <= MAX_BYTES || Buffer.byteLength(owner) <= MAX_BYTES);
  if (isFit) return owner;
  const message =
    `The owner must be well-formed text of at most ${MAX_BYTES} bytes without NUL. Take an id that your ` +
    'app has made.';
  throw new DurableError('owner_forbidden', message);
}
