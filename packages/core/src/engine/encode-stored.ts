import { encodeEvent, type IntentEvent } from '@durable-api/protocol';
import type { StoredEvent } from '../store/store.ts';

/** The events as stores keep them: serialised, once. */
export function encodeStored(intentId: string, events: readonly IntentEvent[]): StoredEvent[] {
  // Events of one change mostly bear one instant, and its text costs more than all the rest.
  let at = NaN;
  let instant = '';
  return events.map((event) => {
    if (event.at !== at) {
      at = event.at;
      instant = new Date(at).toISOString();
    }
    return { seq: event.seq, type: event.type, json: encodeEvent(intentId, event, instant) };
  });
}
