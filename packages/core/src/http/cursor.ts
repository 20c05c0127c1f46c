import { HEADERS } from '@durable-api/protocol';
import { DurableError } from '../errors.ts';
import type { PlainRequest } from './exchange.ts';
import { queryNumber } from './query.ts';

/**
 * The last seq that a client has seen: its `Last-Event-ID`, else `?since`; null when it names none.
 * @throws DurableError `last_event_id_invalid` or `query_invalid`.
 */
export function readCursor(request: PlainRequest): number | null {
  const header = request.headers[HEADERS.lastEventId];
  if (header === undefined || header === '') return queryNumber(request.query, 'since');
  if (typeof header === 'string' && /^\d{1,15}$/.test(header)) return Number(header);
  throw new DurableError(
    'last_event_id_invalid',
    'Last-Event-ID is the id of the last event received: a whole number. Leave it out to begin at 1.',
  );
}
