import { encodeEvent, type IntentEvent } from '@durable-api/protocol';
import type { StoredEvent } from '../store/store.ts';

/** The events as stores keep them: serialised, once. */
export function encodeStored(intentId: string, events: readonly IntentEvent[]): StoredEvent[] {
  return events.map((event) => ({
    seq: event.seq,
    type: event.type,
    json: encodeEvent(intentId, event),
  }));
}
