import { isIP } from 'node:net';

/** What hosts a webhook may be sent to: one of them, those under a name, or any that has a name. */
export interface HostPattern {
  /** As a URL has it: lower case, in Punycode, IPv6 in brackets. Null for any. */
  readonly host: string | null;
  /** Whether hosts under `host` are meant, and not `host` itself. */
  readonly isSuffix: boolean;
  readonly port: string;
}

/** What cannot be part of a host; `*` stands only before it. */
const NO_HOST = /[/?#@\\\s*]/;
const HTTPS_PORT = '443';

/**
 * Reads `hooks.example.com`, `*.example.com` or `*`, which stand for port 443, or with another, as in
 * `hooks.example.com:8443`; null for what is none of these.
 */
export function parseHostPattern(text: unknown): HostPattern | null {
  if (typeof text !== 'string') return null;
  const isAny = /^\*(?::\d+)?$/.test(text);
  const isSuffix = text.startsWith('*.');
  const rest = isAny ? text.replace('*', 'any') : isSuffix ? text.slice(2) : text;
  if (rest === '' || NO_HOST.test(rest) || !URL.canParse(`https://${rest}`)) return null;
  const { hostname, port } = new URL(`https://${rest}`);
  if (hasEmptyLabel(hostname) || (isSuffix && isAddress(hostname))) return null;
  return { host: isAny ? null : hostname, isSuffix, port: port || HTTPS_PORT };
}

/** Whether the host of a URL is meant. An address in place of a name must be named itself. */
export function matchesHost({ host, isSuffix, port }: HostPattern, url: URL): boolean {
  if ((url.port || HTTPS_PORT) !== port) return false;
  if (host === null) return !isAddress(url.hostname) && url.hostname.includes('.');
  return isSuffix ? url.hostname.endsWith(`.${host}`) : url.hostname === host;
}

/** Whether a host has two dots in a row, or one at an end: no resolver should be asked what that means. */
export function hasEmptyLabel(hostname: string): boolean {
  return /^\.|\.\.|\.$/.test(hostname);
}

/** The address that the host of a URL is; null for a name. */
export function addressOf({ hostname }: URL): string | null {
  const address = hostname.replace(/^\[|\]$/g, '');
  return isIP(address) === 0 ? null : address;
}

function isAddress(hostname: string): boolean {
  return isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
}
