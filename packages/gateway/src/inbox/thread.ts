import { isTerminal } from '@durable-api/protocol';
import { addressKey, canonicalAddress, type HomeAddress } from '../addresses/address.ts';
import { instant, type JsonObject } from '../http/json.ts';
import type { AxpIntent } from '../intents/intent-state.ts';
import { derivedId } from '../storage/derived-id.ts';
import type { ThreadEntry, ThreadRecord } from './thread-record.ts';

/** What one agent has to do with one intent. */
export interface Thread {
  readonly id: string;
  readonly intent: AxpIntent;
  /** The key of the agent's address. */
  readonly owner: string;
  /** What was written to it; null when nothing was. */
  readonly written: ThreadRecord | null;
}

/** How far a thread is. */
export type ThreadStatus = 'pending' | 'active' | 'done';

/** The longest name of an actor in a timeline. */
const MAX_ACTOR = 120;

/** The thread of this owner and intent; null when the owner has nothing to do with it, or not yet. */
export function threadOf(
  intent: AxpIntent,
  owner: string,
  written: ThreadRecord | null,
  home: HomeAddress,
): Thread | null {
  const isReplyTo = replyKey(intent, home) === owner;
  const isThere =
    intent.envelope.to === owner ||
    (isReplyTo && isTerminal(intent.record.status)) ||
    (written !== null && written.entries.length > 0);
  if (!isThere) return null;
  const id = threadId(intent, owner, home);
  return { id, intent, owner, written };
}

/**
 * The id of a thread. That of a completion is the intent's own, as the protocol has it; that of the recipient
 * leads back to the intent, so that no thread need be stored of which there is nothing to say.
 */
function threadId(intent: AxpIntent, owner: string, home: HomeAddress): string {
  const { id } = intent.record;
  const { to } = intent.envelope;
  return replyKey(intent, home) === owner || (owner === to && !leadsBack(id))
    ? id
    : recordId(id, owner, to);
}

/** The id under which the writings of a thread are stored; they sort like their intents. */
export function recordId(intentId: string, owner: string, to: string): string {
  if (owner === to && leadsBack(intentId)) return recipientId(intentId);
  const hash = derivedId('axp.thread', owner, intentId);
  return `${intentId.slice(0, 13)}-8${hash.slice(15)}`;
}

/** Whether the id of a recipient's thread can be made of this one. */
function leadsBack(intentId: string): boolean {
  return intentId.charAt(14) === '7';
}

/** Intents have ids of version 7, and what is derived from them of version 8. */
function recipientId(intentId: string): string {
  return `${intentId.slice(0, 14)}8${intentId.slice(15)}`;
}

/** The intent whose recipient's thread has this id. */
export function intentOfRecipient(id: string): string {
  return `${id.slice(0, 14)}7${id.slice(15)}`;
}

/** The key of `reply_to`. */
export function replyKey({ envelope }: AxpIntent, home: HomeAddress): string | null {
  return envelope.replyTo === null ? null : addressKey(envelope.replyTo, home);
}

/** How far it is, for its owner. */
export function threadStatus({ intent, written }: Thread): ThreadStatus {
  const { status } = intent.record;
  const types = (written?.entries ?? []).map((entry) => entry.type);
  if (isTerminal(status) || types.includes('approved') || types.includes('rejected')) return 'done';
  const isBegun = status !== 'CREATED' && status !== 'SUBMITTED' && status !== 'DELIVERED';
  return isBegun || types.some((type) => type !== 'delegated_to') ? 'active' : 'pending';
}

/** A thread as callers see it; `asked` is its owner as the caller wrote it. */
export function threadWire(thread: Thread, home: HomeAddress, asked?: string): JsonObject {
  const { id, intent, owner, written } = thread;
  const { record, envelope } = intent;
  const timeline = timelineOf(thread, home);
  const last = Math.max(record.updatedAt, written?.record.updatedAt ?? 0);
  return {
    thread_id: id,
    intent_id: record.id,
    status: threadStatus(thread),
    owner_agent: asked ?? writtenAs(intent, owner, home),
    from_agent: envelope.fromAgent ?? 'agent://anonymous',
    to_agent: envelope.toAgent,
    created_at: timeline[0]?.at ?? instant(record.createdAt),
    updated_at: instant(last),
    intent_type: envelope.intentType,
    intent_status: record.status,
    timeline,
  };
}

interface TimelineEntry {
  readonly event_id: string;
  readonly event_type: string;
  readonly actor: string;
  readonly at: string;
  readonly details: JsonObject;
}

function timelineOf({ intent, owner, written }: Thread, home: HomeAddress): TimelineEntry[] {
  const { record, envelope, state } = intent;
  const own = (written?.entries ?? []).map((entry): TimelineEntry => entryWire(entry));
  const isRecipient = envelope.to === owner;
  const isReplyTo = replyKey(intent, home) === owner;
  const received: TimelineEntry = {
    event_id: derivedId('axp.thread', owner, record.id, 'intent_received'),
    event_type: 'intent_received',
    actor: actorName(envelope.fromAgent ?? 'anonymous'),
    at: instant(record.createdAt),
    details: { intent_type: envelope.intentType },
  };
  const ended: TimelineEntry = {
    event_id: completionId(record.id),
    event_type: `intent_${record.status.toLowerCase()}`,
    actor: 'gateway',
    at: instant(record.updatedAt),
    details: {
      status: record.status,
      ...(state.outcome?.reason !== undefined && { reason: state.outcome.reason }),
    },
  };
  const seesEnd = isTerminal(record.status) && (isRecipient || isReplyTo);
  const all = [...(isRecipient ? [received] : []), ...own, ...(seesEnd ? [ended] : [])];
  return all.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** The id of the entry by which an end is told. */
export function completionId(intentId: string): string {
  return derivedId('axp.thread', intentId, 'completion');
}

function entryWire({ id, type, actor, at, details }: ThreadEntry): TimelineEntry {
  return { event_id: id, event_type: type, actor: actorName(actor), at: instant(at), details };
}

function actorName(actor: string): string {
  return actor.length < 2 ? `agent ${actor}`.trim() : actor.slice(0, MAX_ACTOR);
}

/** The owner as whoever created the intent wrote it. */
function writtenAs(intent: AxpIntent, owner: string, home: HomeAddress): string {
  const { toAgent, replyTo, fromAgent } = intent.envelope;
  const known = [replyTo, toAgent, fromAgent].find(
    (address) => address !== null && addressKey(address, home) === owner,
  );
  return known ?? canonicalAddress(owner);
}
