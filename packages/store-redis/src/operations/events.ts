import type { EventsRequest, StoredEvent } from '@durable-api/core';
import { splitEvents } from '../event-lines.ts';
import { asList, asNumber, asText } from '../reply.ts';
import { READ_EVENTS } from '../scripts/read-events.ts';
import { shardOf, type Session } from '../session.ts';

/** Reads events: a script of one key per intent, so that it works while slots move. */
export function events(session: Session, { of, limit }: EventsRequest): Promise<StoredEvent[][]> {
  return Promise.all(
    of.map(async ({ id, after }) => {
      const { tag, intent } = shardOf(session, id);
      const args = [String(after), String(limit)];
      const reply = asList(await session.connection.script(tag, READ_EVENTS, [intent(id)], args));
      const read: StoredEvent[] = [];
      for (let i = 0; i + 1 < reply.length; i += 2) {
        read.push(...splitEvents(asNumber(reply[i]), asText(reply[i + 1])));
      }
      return read.filter(({ seq }) => seq > after);
    }),
  );
}
