import type { DurableApi } from '@durable-api/core';
import type { DurableRequest } from '../durable-request.ts';
import { isIntentUrl, splitPath, splitUrl } from './intent-url.ts';
import type { Platform, TicketOpener } from './platform.ts';

/** Asks the durable API about requests that bear a ticket, whatever controller they are for. */
export function ticketOpener(
  api: DurableApi<DurableRequest>,
  platform: Pick<Platform, 'onClose'> | null,
): TicketOpener {
  return async (request, response) => {
    const { originalUrl, method, headers } = request;
    if (!originalUrl.includes('ticket=') || !isIntentUrl(originalUrl)) return null;
    const { path, query } = splitUrl(originalUrl);
    const { operation, rest } = splitPath(path, 2);
    const reply = await api.handleTicket({
      source: request,
      method,
      operationPath: operation,
      subPath: rest,
      query,
      headers,
      capture: () => Promise.reject(new TypeError('This is no submit.')),
      body: () => undefined,
      onClose: (listener) => platform?.onClose(response, listener),
    });
    // What it does not open is for the guards, and for others that have such a path.
    return reply?.kind === 'full' && reply.status === 401 ? null : reply;
  };
}
