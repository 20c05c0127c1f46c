/** Where a name without organisation and workspace is meant to be. */
export interface HomeAddress {
  readonly org: string;
  readonly workspace: string;
}

/** Longest address, in characters. */
export const MAX_ADDRESS = 383;

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;
const AGENT = 'agent://';

/**
 * The key by which addresses are compared: `org/workspace/name` in lower case for agents, whatever form the
 * caller gave, and the whole text for other schemes, such as `user://`. Null for what is no address.
 */
export function addressKey(address: string, home: HomeAddress): string | null {
  const text = decode(address.trim());
  if (text === null || text.length === 0 || text.length > MAX_ADDRESS) return null;
  if (hasControl(text)) return null;
  const scheme = SCHEME.exec(text)?.[0].toLowerCase();
  if (scheme !== undefined && scheme !== AGENT) return text;
  const segments = text
    .slice(scheme?.length ?? 0)
    .split('/')
    .filter((one) => one !== '');
  if (segments.length === 0) return null;
  const full = segments.length === 1 ? [home.org, home.workspace, ...segments] : segments;
  return full.join('/').toLowerCase();
}

/** The canonical form of what {@link addressKey} gave. */
export function canonicalAddress(key: string): string {
  return SCHEME.test(key) ? key : `${AGENT}${key}`;
}

/** What a person calls the address: its last part. */
export function shortName(address: string): string {
  return address.split('/').findLast((part) => part !== '') ?? address;
}

function decode(text: string): string | null {
  if (!text.includes('%')) return text.isWellFormed() ? text : null;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function hasControl(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  return /[\u0000-\u001f\u007f]/.test(text);
}
