import { queryInteger } from '../http/fields.ts';

/** The longest time that a client may have a stream wait, in seconds. */
const MAX_WAIT = 60;

/** The `wait_seconds` of a stream, in ms; null when it is to be kept open. */
export function waitMsOf(query: URLSearchParams): number | null {
  const seconds = queryInteger(query, 'wait_seconds', { min: 1, max: MAX_WAIT });
  return seconds === undefined ? null : seconds * 1_000;
}

/** The cursor that a stream begins after: `since`, or what `EventSource` has seen last. */
export function sinceOf(query: URLSearchParams, lastEventId: unknown): number {
  const since = queryInteger(query, 'since', { min: 0, max: Number.MAX_SAFE_INTEGER });
  if (since !== undefined) return since;
  const last = typeof lastEventId === 'string' ? Number(lastEventId) : 0;
  return Number.isSafeInteger(last) && last > 0 ? last : 0;
}
