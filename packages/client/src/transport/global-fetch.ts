import { DurableClientError } from '../errors.ts';
import type { HttpDispatcher, Transport } from './fetch.ts';

/** Browsers, Deno, Bun and edge runtimes: the global `fetch`. */
export function createFetch(dispatcher: HttpDispatcher | undefined): Transport {
  if (dispatcher !== undefined) {
    throw new DurableClientError('usage', 'A dispatcher works in Node only. Pass { fetch } here.');
  }
  return { fetch: (url, init) => fetch(url, init), close: () => Promise.resolve() };
}
