import { DurableError } from '../errors.ts';

/** What of RFC 7240 is understood: how long to wait, and an explicit wish not to. */
export interface Preferences {
  readonly waitSeconds: number | null;
  readonly respondAsync: boolean;
}

/** The longest wait that is granted, in seconds: below the idle limits of common proxies. */
const MAX_WAIT_SECONDS = 30;

const NONE: Preferences = { waitSeconds: null, respondAsync: false };
/** The parts between commas; a comma inside of a quoted string separates nothing. */
const PART = /(?:"(?:[^"\\]|\\.)*"|[^,"])+|"/g;
const TOKEN = /^[\w!#$%&'*+.^`|~-]+(\s*=\s*("(?:[^"\\]|\\.)*"|[\w!#$%&'*+.^`|~-]*))?(\s*;.*)?$/;

/**
 * Parses a `Prefer` header (RFC 7240 §2). Unknown preferences are ignored, as the RFC asks.
 * @throws DurableError `prefer_invalid` when it is malformed or `wait` is not a number of seconds.
 */
export function parsePrefer(header: string | string[] | undefined): Preferences {
  if (header === undefined) return NONE;
  const text = Array.isArray(header) ? header.join(',') : header;
  let waitSeconds: number | null = null;
  let respondAsync = false;
  for (const [part] of text.matchAll(PART)) {
    const preference = part.trim();
    if (preference === '') continue;
    if (!TOKEN.test(preference)) throw invalid(`"${preference.slice(0, 64)}" is no preference.`);
    const [name = '', value = ''] = (preference.split(';')[0] ?? '').split('=', 2);
    switch (name.trim().toLowerCase()) {
      case 'respond-async':
        respondAsync = true;
        break;
      case 'wait':
        // The first one counts when a preference is repeated.
        waitSeconds ??= parseWait(value.trim());
        break;
    }
  }
  return { waitSeconds, respondAsync };
}

function parseWait(value: string): number {
  const digits = value.replace(/^"(.*)"$/, '$1');
  if (!/^\d{1,9}$/.test(digits)) throw invalid('wait takes a whole number of seconds.');
  return Math.min(Number(digits), MAX_WAIT_SECONDS);
}

function invalid(what: string): DurableError {
  return new DurableError(
    'prefer_invalid',
    `${what} Send for example "Prefer: wait=10" or "Prefer: respond-async", or leave the header out.`,
  );
}
