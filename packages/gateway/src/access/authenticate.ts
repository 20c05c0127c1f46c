import type { IncomingHttpHeaders } from 'node:http';
import { AxpError } from '../http/errors.ts';
import type { Caller } from './caller.ts';
import type { KeyRing } from './key-ring.ts';

/**
 * Finds out who sends a request: by `x-api-key`, else by the bearer token. Beside an `x-api-key` the bearer
 * token names a user, which decides nothing here. In an open gateway who has no key may do everything.
 * @throws AxpError 401
 */
export async function authenticate(
  keys: KeyRing,
  isOpen: boolean,
  headers: IncomingHttpHeaders,
): Promise<Caller> {
  const token = tokenOf(headers);
  const caller = token === null ? null : await keys.authenticate(token);
  if (caller !== null) return caller;
  if (isOpen) return { kind: 'admin', id: 'open', keyId: null };
  if (token === null) {
    const message = 'Send an API key, as x-api-key or as a bearer token.';
    throw new AxpError(401, 'missing_platform_api_key', message);
  }
  throw new AxpError(401, 'invalid_platform_api_key', 'This API key is not known here.');
}

function tokenOf(headers: IncomingHttpHeaders): string | null {
  const given = headers['x-api-key'];
  const key = Array.isArray(given) ? given[0] : given;
  if (key !== undefined && key !== '') return key;
  return /^Bearer +(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1] ?? null;
}
