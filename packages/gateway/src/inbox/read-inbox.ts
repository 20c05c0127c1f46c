import type { FullReply } from '@durable-api/core';
import type { GatewayCore } from '../gateway-core.ts';
import { AxpError, invalid } from '../http/errors.ts';
import { queryInteger } from '../http/fields.ts';
import { ok, type GatewayRequest } from '../http/route.ts';
import { checkMayAct, keyOf } from '../intents/parse-envelope.ts';
import { findThread, findThreadsOf, listThreads } from './inbox.ts';
import { ALL } from './inbox-feeds.ts';
import { threadStatus, threadWire, type Thread } from './thread.ts';

const STATUSES = ['pending', 'active', 'done'];
/** How many threads a list has at most, and what a new feed begins with. */
const MAX_LIST = 500;
const CURSOR = /^c-(\d{1,15})$/;

/** `GET /v1/inbox?owner_agent=&status=&limit=`, newest first */
export async function listInbox(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const { query } = request;
  const limit = queryInteger(query, 'limit', { min: 1, max: MAX_LIST }) ?? 100;
  const status = query.get('status');
  if (status !== null && !STATUSES.includes(status)) {
    throw invalid(`status must be one of ${STATUSES.join(', ')}`, { field: 'status' });
  }
  const owner = inboxOwner(core, request);
  const threads = (await listThreads(core, owner, status === null ? limit : MAX_LIST))
    .filter((thread) => status === null || threadStatus(thread) === status)
    .slice(0, limit);
  return ok({ ok: true, threads: threads.map((one) => wireFor(core, request, one)) });
}

/** `GET /v1/inbox/{thread_id}` */
export async function getThread(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const thread = await threadFor(core, request);
  return ok({ ok: true, thread: wireFor(core, request, thread) });
}

/** `GET /v1/inbox/changes?cursor=&limit=`: the threads that have changed, each as it is now. */
export async function listChanges(core: GatewayCore, request: GatewayRequest): Promise<FullReply> {
  const { query } = request;
  const limit = queryInteger(query, 'limit', { min: 1, max: 100 }) ?? 50;
  const given = query.get('cursor') ?? 'c-0';
  const cursor = Number(CURSOR.exec(given)?.[1] ?? NaN);
  if (Number.isNaN(cursor)) throw invalid('cursor must be a next_cursor of this call');
  const owner = inboxOwner(core, request);
  const feed = await core.inboxFeeds.follow(owner ?? ALL, async () => {
    const threads = await listThreads(core, owner, MAX_LIST);
    return threads.map(({ intent }) => intent.record.id).toReversed();
  });
  await feed.refresh();
  const entries = await feed.after(cursor);
  const page = entries.slice(0, limit);
  const changes = await Promise.all(
    page.map(async (entry) => {
      const threads = await findThreadsOf(core, [{ intentId: entry.intentId, owner }]);
      return threads.map((thread) => ({
        cursor: `c-${entry.cursor}`,
        thread: wireFor(core, request, thread),
      }));
    }),
  );
  return ok({
    ok: true,
    changes: changes.flat(),
    next_cursor: `c-${page.at(-1)?.cursor ?? cursor}`,
    has_more: entries.length > page.length,
  });
}

/** The thread that a request names. @throws AxpError 404 */
export async function threadFor(core: GatewayCore, request: GatewayRequest): Promise<Thread> {
  const owner = inboxOwner(core, request);
  const thread = await findThread(core, request.params['thread'] ?? '', owner);
  if (thread !== null) return thread;
  throw new AxpError(404, 'thread_not_found', 'There is no such thread.');
}

/** The thread as this caller sees it: its owner in the words of the request. */
export function wireFor(core: GatewayCore, { ownerAgent }: GatewayRequest, thread: Thread): object {
  return threadWire(thread, core.home, ownerAgent);
}

/** Whose inbox is asked for; null for all, which only an admin sees. @throws AxpError 403 */
function inboxOwner(core: GatewayCore, { caller, ownerAgent }: GatewayRequest): string | null {
  const asked = ownerAgent === undefined ? null : keyOf(ownerAgent, 'owner_agent', core.home);
  if (asked !== null) checkMayAct(caller, asked);
  return asked ?? (caller.kind === 'agent' ? caller.address : null);
}
