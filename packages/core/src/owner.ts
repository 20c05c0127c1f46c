import { DurableError } from './errors.ts';

/**
 * The owner as stores can keep it. Databases make one character of all lone surrogates, so that one
 * owner could pass for another, and some take no NUL.
 * @throws DurableError `owner_forbidden` for anything but well-formed text without a NUL
 */
export function checkOwner(owner: unknown): string {
  if (typeof owner === 'string' && owner.isWellFormed() && !owner.includes('\0')) return owner;
  const message =
    'The owner must be well-formed text without NUL. Take an id that your app has made.';
  throw new DurableError('owner_forbidden', message);
}
