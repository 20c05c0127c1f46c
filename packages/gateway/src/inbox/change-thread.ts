import { isTerminal } from '@durable-api/protocol';
import { canonicalAddress } from '../addresses/address.ts';
import type { GatewayCore } from '../gateway-core.ts';
import { invalid } from '../http/errors.ts';
import { field, optionalAddress, optionalInteger, optionalText, text } from '../http/fields.ts';
import type { JsonObject } from '../http/json.ts';
import type { GatewayRequest } from '../http/route.ts';
import { actorOf } from '../intents/actor.ts';
import { keyOf } from '../intents/parse-envelope.ts';
import { decideTask } from '../tasks/decide-task.ts';
import { delegateIntent } from './delegate-intent.ts';
import { findThreadsOf } from './inbox.ts';
import { publish } from '../webhooks/gateway-events.ts';
import { threadFor, wireFor } from './read-inbox.ts';
import { recordId, replyKey, type Thread } from './thread.ts';
import { writeThread, type NewEntry } from './thread-record.ts';

/** The longest message, in characters: what fits into a payload. */
const MAX_MESSAGE = 131_072;
/** The types of what may be deleted. */
const MESSAGES = ['message_sent', 'message_received'];

/** `POST /v1/inbox/{thread_id}/reply`: a message to the other side of the thread. */
export async function replyToThread(
  core: GatewayCore,
  request: GatewayRequest,
): Promise<JsonObject> {
  const message = text(field(request.body, 'message'), 'message', { min: 1, max: MAX_MESSAGE });
  const thread = await threadFor(core, request);
  const other = otherSide(core, thread);
  const entry = { id: core.ledger.newId(), actor: actorOf(request), details: { message } };
  await write(core, thread, thread.owner, { ...entry, type: 'message_sent' });
  if (other !== null) await write(core, thread, other, { ...entry, type: 'message_received' });
  return changed(core, request, thread);
}

/** `POST /v1/inbox/{thread_id}/delegate`: another agent may deal with it from now on. */
export async function delegateThread(
  core: GatewayCore,
  request: GatewayRequest,
): Promise<JsonObject> {
  const { body } = request;
  const to = optionalAddress(field(body, 'delegate_to', 'delegateTo'), 'delegate_to');
  const note = optionalText(field(body, 'note'), 'note', { max: 5_000 });
  const thread = await threadFor(core, request);
  const actor = actorOf(request);
  const details = {
    ...(to !== undefined && { delegate_to: to }),
    ...(note !== undefined && { note }),
  };
  if (to !== undefined) {
    const delegate = keyOf(to, 'delegate_to', core.home);
    await delegateIntent(core, request, thread, { to, note });
    await write(core, thread, delegate, { type: 'delegated_to', actor, details });
  }
  await write(core, thread, thread.owner, { type: 'delegated', actor, details });
  return changed(core, request, thread);
}

/** `POST /v1/inbox/{thread_id}/approve` and `…/reject`: what waits for a person goes on by it. */
export async function decideThread(
  core: GatewayCore,
  request: GatewayRequest,
  isApproved: boolean,
): Promise<JsonObject> {
  const comment = optionalText(field(request.body, 'comment'), 'comment', { max: 5_000 });
  const thread = await threadFor(core, request);
  const { intent } = thread;
  if (intent.record.waitingReason === 'WAITING_FOR_HUMAN') {
    await decideTask(core, request, intent, { isApproved, comment });
  }
  await write(core, thread, thread.owner, {
    type: isApproved ? 'approved' : 'rejected',
    actor: actorOf(request),
    details: comment === undefined ? {} : { comment },
  });
  return changed(core, request, thread);
}

/** `POST /v1/inbox/{thread_id}/messages/delete`: takes messages out of the thread, or of both sides’. */
export async function deleteMessages(
  core: GatewayCore,
  request: GatewayRequest,
): Promise<JsonObject> {
  const { body } = request;
  const mode = field(body, 'mode') ?? 'self';
  if (mode !== 'self' && mode !== 'both') throw invalid('mode must be self or both');
  const limit = optionalInteger(field(body, 'limit'), 'limit', { min: 1, max: 100 }) ?? 100;
  const asked = field(body, 'message_ids');
  if (asked !== undefined && !(Array.isArray(asked) && asked.length <= 100)) {
    throw invalid('message_ids must be a list of at most 100 ids');
  }
  const thread = await threadFor(core, request);
  const { entries = [] } = thread.written ?? {};
  // A timeline is never empty: that of who was only written to keeps its first entry.
  const candidates = isBare(core, thread) ? entries.slice(1) : entries;
  const deleted = candidates
    .filter(({ type, id }) => MESSAGES.includes(type) && (asked?.includes(id) ?? true))
    .map(({ id }) => id)
    .slice(-limit);
  const other = otherSide(core, thread);
  if (deleted.length > 0) {
    await writeOf(core, thread, thread.owner, [{ deleted }]);
    if (mode === 'both' && other !== null) await writeOf(core, thread, other, [{ deleted }]);
  }
  const { thread: now } = await changed(core, request, thread);
  return { ok: true, thread: now, mode, deleted_count: deleted.length, message_ids: deleted };
}

/** Whether there is nothing in the thread but what was written to it. */
function isBare({ home }: GatewayCore, { intent, owner }: Thread): boolean {
  const isReplyTo = replyKey(intent, home) === owner && isTerminal(intent.record.status);
  return intent.envelope.to !== owner && !isReplyTo;
}

/** Who is written to: the sender by everybody else, and the recipient by the sender. */
function otherSide({ home }: GatewayCore, { intent, owner }: Thread): string | null {
  const { to, from } = intent.envelope;
  const reply = replyKey(intent, home);
  if (owner !== to) return to;
  const sender = reply ?? from;
  return sender === owner ? null : sender;
}

async function write(
  core: GatewayCore,
  thread: Thread,
  owner: string,
  entry: NewEntry,
): Promise<void> {
  await writeOf(core, thread, owner, [entry]);
}

async function writeOf(
  core: GatewayCore,
  { intent }: Thread,
  owner: string,
  entries: Parameters<typeof writeThread>[2],
): Promise<void> {
  const { id: intentId } = intent.record;
  const key = { id: recordId(intentId, owner, intent.envelope.to), intentId, owner };
  await writeThread(core.ledger, key, entries);
  await core.inboxFeeds.note(intent, [owner]);
  const isReply = entries.some((entry) => 'type' in entry && entry.type === 'message_received');
  await publish(core, intent, {
    key: core.ledger.newId(),
    type: isReply ? 'inbox.reply_received' : 'inbox.thread_updated',
    ownerAgent: canonicalAddress(owner),
    owners: [owner],
  });
}

/** The answer: the thread as it is now. */
async function changed(
  core: GatewayCore,
  request: GatewayRequest,
  { intent, owner }: Thread,
): Promise<JsonObject> {
  const [now] = await findThreadsOf(core, [{ intentId: intent.record.id, owner }]);
  return { ok: true, thread: now === undefined ? {} : wireFor(core, request, now) };
}
