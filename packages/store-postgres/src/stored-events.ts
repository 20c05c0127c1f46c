import type { StoredEvent } from '@durable-api/core';

/** The events of one commit as one text: a line "type json" each. Their numbers follow from the last. */
export function encodeEvents(events: readonly StoredEvent[]): string {
  return events.map((event) => `${event.type} ${event.json}`).join('\n');
}

/** Takes back {@link encodeEvents}; `lastSeq` is the number of the last event. */
export function decodeEvents(text: string, lastSeq: number): StoredEvent[] {
  const lines = text.split('\n');
  const firstSeq = lastSeq - lines.length + 1;
  return lines.map((line, i) => {
    const space = line.indexOf(' ');
    return { seq: firstSeq + i, type: line.slice(0, space), json: line.slice(space + 1) };
  });
}
