import type { IntentRecord, PlainReply } from '@durable-api/core';
import { isTerminal } from '@durable-api/protocol';
import type { GatewayCore } from '../gateway-core.ts';
import type { GatewayRequest } from '../http/route.ts';
import { followReply, type Followed } from '../streams/follow.ts';
import { frame } from '../streams/frames.ts';
import { sinceOf, waitMsOf } from '../streams/stream-query.ts';
import { findIntent } from './find-intent.ts';
import { eventWire } from './wire.ts';

/** How many events one read takes. */
const PAGE = 256;

/** `GET /v1/intents/{id}/events/stream` */
export async function streamEvents(
  core: GatewayCore,
  request: GatewayRequest,
): Promise<PlainReply> {
  const { record } = await findIntent(core, request, 'see');
  const { query, headers, caller } = request;
  core.streams.checkRoom();
  const { ledger, streams } = core;
  return followReply({
    ledger,
    streams,
    caller,
    // Some clients come back with the seq after their last.
    cursor: Math.min(sinceOf(query, headers['last-event-id']), record.seq),
    waitMs: waitMsOf(query),
    followed: eventsOf(core, record),
  });
}

function eventsOf({ ledger }: GatewayCore, from: IntentRecord): Followed {
  let record = from;
  return {
    async read(cursor) {
      if (cursor >= record.seq) {
        return { text: '', cursor, isLast: isTerminal(record.status) };
      }
      const of = [{ id: record.id, after: cursor }];
      const [events = []] = await ledger.events({ of, limit: PAGE });
      const last = events.at(-1)?.seq ?? cursor;
      return {
        text: events.map(({ seq, type, json }) => frame(seq, type, eventWire(json))).join(''),
        cursor: last,
        isLast: isTerminal(record.status) && last >= record.seq,
      };
    },
    async wait(cursor, timeoutMs) {
      return ledger.waitFor({
        record,
        timeoutMs,
        enough: (change) => {
          if (change.record.seq > record.seq) record = change.record;
          return record.seq > cursor;
        },
      });
    },
  };
}
