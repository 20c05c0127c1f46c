import type { StoredEvent } from '@durable-api/core';

/** The events of one commit as text: a line `type json` each; neither has a line break. */
export function joinEvents(events: readonly StoredEvent[]): string {
  let lines = '';
  for (const { type, json } of events) lines += `${lines === '' ? '' : '\n'}${type} ${json}`;
  return lines;
}

/** Reads back what {@link joinEvents} wrote of the events up to `lastSeq`. */
export function splitEvents(lastSeq: number, lines: string): StoredEvent[] {
  const each = lines.split('\n');
  return each.map((line, i) => {
    const space = line.indexOf(' ');
    const seq = lastSeq - each.length + 1 + i;
    return { seq, type: line.slice(0, space), json: line.slice(space + 1) };
  });
}
