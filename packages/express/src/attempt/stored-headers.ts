import type { OutgoingHttpHeaders } from 'node:http';

/** What belongs to a connection or to one moment, not to a response that is served later. */
const DROPPED: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The headers of a response in the form that is stored: lower-case names, one text each. */
export function storedHeaders(headers: OutgoingHttpHeaders): Record<string, string> {
  const stored: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (value === undefined || DROPPED.has(name)) continue;
    stored[name] = Array.isArray(value) ? value.join(', ') : String(value);
  }
  return stored;
}
