import { Agent, fetch, type Dispatcher } from 'undici';
import { DurableClientError } from '../errors.ts';
import type { HttpDispatcher, Transport } from './fetch.ts';

/** Node: undici's `fetch` over an agent of the client's own, or over the given dispatcher. */
export function createFetch(given: HttpDispatcher | undefined): Transport {
  if (given !== undefined) {
    if (!isDispatcher(given)) {
      throw new DurableClientError('usage', 'dispatcher must be an undici Dispatcher.');
    }
    return transport(given, () => Promise.resolve());
  }
  // The client has time limits of its own; undici's would end streams that are quiet for long.
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 10_000 });
  return transport(agent, () => agent.close());
}

function transport(dispatcher: Dispatcher, close: () => Promise<void>): Transport {
  return { fetch: (url, init) => fetch(url, { ...init, dispatcher }), close };
}

function isDispatcher(value: HttpDispatcher): value is HttpDispatcher & Dispatcher {
  return typeof value.dispatch === 'function';
}
