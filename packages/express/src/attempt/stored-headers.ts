import type { OutgoingHttpHeaders } from 'node:http';
import { EXCHANGE_HEADERS } from '@durable-api/core';

/** The headers of a response in the form that is stored: lower-case names, one text each. */
export function storedHeaders(headers: OutgoingHttpHeaders): Record<string, string> {
  const stored: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (value === undefined || EXCHANGE_HEADERS.has(name)) continue;
    stored[name] = Array.isArray(value) ? value.join(', ') : String(value);
  }
  return stored;
}
