import type { PlainReply } from '@durable-api/core';
import { isTerminal, type Status } from '@durable-api/protocol';
import type { GatewayCore } from '../gateway-core.ts';
import { instant } from '../http/json.ts';
import type { GatewayRequest } from '../http/route.ts';
import type { AxpIntent } from '../intents/intent-state.ts';
import { checkMayAct, keyOf } from '../intents/parse-envelope.ts';
import { statusesOf } from '../intents/read-intents.ts';
import { deliver } from '../lifecycle/delivery.ts';
import type { MailboxEntry } from '../mailboxes/mailbox-entry.ts';
import { followReply, type Batch } from '../streams/follow.ts';
import { frame } from '../streams/frames.ts';
import { sinceOf, waitMsOf } from '../streams/stream-query.ts';
import { mailboxOf } from './hand-on.ts';

/** How many intents one look takes, and one batch has at most. */
const PAGE = 64;
/** Largest payload that goes with the event, in bytes; others are read with the intent. */
const MAX_PAYLOAD = 32_768;

/** `GET /v1/agents/{address}/intents/stream` */
export async function listen(core: GatewayCore, request: GatewayRequest): Promise<PlainReply> {
  const { params, query, headers, caller } = request;
  const address = keyOf(params['address'] ?? '', 'address', core.home);
  checkMayAct(caller, address);
  const statuses = statusesOf(query.get('status'));
  core.streams.checkRoom();
  const mailbox = mailboxOf(core, address);
  const since = sinceOf(query, headers['last-event-id']);
  // Another process may have sent what this one does not know of yet.
  if (since > (await mailbox.lastCursor())) await mailbox.refresh();
  const { ledger, streams, kills } = core;
  await kills.open();
  return followReply({
    ledger,
    streams,
    caller,
    cursor: Math.min(since, await mailbox.lastCursor()),
    waitMs: waitMsOf(query),
    followed: {
      // One that was cut off stays connected: it gets what there is when it is resumed.
      read: async (cursor) =>
        kills.isKilled(address)
          ? { text: '', cursor, isLast: false }
          : batchOf(core, cursor, await mailbox.after(cursor), statuses),
      wait: (cursor, timeoutMs) =>
        kills.isKilled(address)
          ? Promise.resolve(kills.wait(timeoutMs))
          : mailbox.waitAfter(cursor, timeoutMs),
    },
  });
}

/** The first of these entries that are to be sent. */
async function batchOf(
  core: GatewayCore,
  from: number,
  entries: readonly MailboxEntry[],
  statuses: readonly Status[] | undefined,
): Promise<Batch> {
  let cursor = from;
  for (let i = 0; i < entries.length; i += PAGE) {
    const page = entries.slice(i, i + PAGE);
    const found = await core.store.find(page.map((entry) => entry.intentId));
    const frames = await Promise.all(
      page.map((entry, n) => frameOf(core, entry, found[n] ?? null, statuses)),
    );
    cursor = page.at(-1)?.cursor ?? cursor;
    const text = frames.join('');
    if (text !== '') return { text, cursor, isLast: false };
  }
  return { text: '', cursor, isLast: false };
}

/** The event by which an agent gets an intent; empty for what is no longer to be done. */
async function frameOf(
  core: GatewayCore,
  { cursor, attempt }: MailboxEntry,
  intent: AxpIntent | null,
  statuses: readonly Status[] | undefined,
): Promise<string> {
  // What another agent works on under a lease is sent again when that has run out.
  if (intent === null || isTerminal(intent.record.status) || intent.state.lease !== null) return '';
  const { redeliverMs } = core.options;
  const sent = await core.store.change(intent, (current) =>
    deliver(current, attempt, { redeliverMs }, core.ledger.now()),
  );
  const { record, envelope } = sent?.intent ?? (await current(core, intent, attempt));
  if (isTerminal(record.status)) return '';
  if (statuses !== undefined && !statuses.includes(record.status)) return '';
  const type = `intent.${record.status.toLowerCase()}`;
  const payload = JSON.stringify(envelope.payload);
  const json = JSON.stringify({
    intent_id: record.id,
    seq: cursor,
    event_type: type,
    status: record.status,
    at: instant(record.updatedAt),
    intent_type: envelope.intentType,
    correlation_id: envelope.correlationId,
    from_agent: envelope.fromAgent,
    to_agent: envelope.toAgent,
    delivery_attempt: Math.max(1, record.attempt),
    ...(Buffer.byteLength(payload) <= MAX_PAYLOAD && { payload: envelope.payload }),
  });
  return frame(cursor, type, json);
}

/** The intent as whoever sent it meanwhile has left it. */
async function current(core: GatewayCore, intent: AxpIntent, attempt: number): Promise<AxpIntent> {
  const isOutdated = intent.record.status === 'SUBMITTED' && intent.record.attempt < attempt;
  if (!isOutdated) return intent;
  const [latest] = await core.store.find([intent.record.id]);
  return latest ?? intent;
}
