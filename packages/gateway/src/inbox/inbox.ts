import type { GatewayCore } from '../gateway-core.ts';
import type { AxpIntent } from '../intents/intent-state.ts';
import { INTENT } from '../intents/intent-store.ts';
import { intentOfRecipient, recordId, replyKey, threadOf, type Thread } from './thread.ts';
import { findThreads, THREAD } from './thread-record.ts';

/** Whose threads of which intents. */
interface Wanted {
  readonly intentId: string;
  /** Null: of all who have one by the intent itself, its recipient and whom it replies to. */
  readonly owner: string | null;
}

/** The threads of these owners and intents that are there, in their order. */
export async function findThreadsOf(
  core: GatewayCore,
  wanted: readonly Wanted[],
): Promise<Thread[]> {
  const intents = await core.store.find(wanted.map(({ intentId }) => intentId));
  const pairs = wanted.flatMap(({ owner }, i) => {
    const intent = intents[i] ?? null;
    if (intent === null) return [];
    const owners = owner === null ? ownersOf(intent, core) : [owner];
    return owners.map((one) => ({ intent, owner: one }));
  });
  const ids = pairs.map(({ intent, owner }) =>
    recordId(intent.record.id, owner, intent.envelope.to),
  );
  const written = await findThreads(core.ledger, ids);
  return pairs.flatMap(
    ({ intent, owner }, i) => threadOf(intent, owner, written[i] ?? null, core.home) ?? [],
  );
}

/** The newest threads of an owner, or of all; newest first. */
export async function listThreads(
  core: GatewayCore,
  owner: string | null,
  limit: number,
): Promise<Thread[]> {
  const { ledger } = core;
  const by = owner === null ? {} : { owner };
  const [received, others] = await Promise.all([
    ledger.list({ operation: INTENT, limit, ...by }),
    ledger.list({ operation: THREAD, limit, ...by }),
  ]);
  const written = await findThreads(
    ledger,
    others.map(({ id }) => id),
  );
  const wanted = new Map<string, Wanted & { readonly id: string }>();
  for (const { id, owner: to } of received) {
    wanted.set(`${to} ${id}`, { id, intentId: id, owner: to });
  }
  for (const thread of written) {
    if (thread === null) continue;
    const { record, intentId, owner: of } = thread;
    wanted.set(`${of} ${intentId}`, { id: record.id, intentId, owner: of });
  }
  // Ids begin with the time at which the intent was made.
  const sorted = [...wanted.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
  return (await findThreadsOf(core, sorted)).slice(0, limit);
}

/** The thread with this id; null when there is none, or it is not the owner's. */
export async function findThread(
  core: GatewayCore,
  given: string,
  owner: string | null,
): Promise<Thread | null> {
  const id = given.toLowerCase();
  const [own, received] = await core.store.find([id, intentOfRecipient(id)]);
  const intent = own ?? received ?? null;
  if (intent !== null) {
    const { to } = intent.envelope;
    const isOwn = own !== null && own !== undefined;
    const of = owner ?? (isOwn ? (replyKey(intent, core.home) ?? to) : to);
    const [thread = null] = await findThreadsOf(core, [{ intentId: intent.record.id, owner: of }]);
    return thread;
  }
  if (!UUID.test(id)) return null;
  const [written = null] = await findThreads(core.ledger, [id]);
  if (written === null || (owner !== null && owner !== written.owner)) return null;
  const { intentId, owner: of } = written;
  const [thread = null] = await findThreadsOf(core, [{ intentId, owner: of }]);
  return thread;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Who has a thread without anything written to it. */
function ownersOf(intent: AxpIntent, { home }: GatewayCore): readonly string[] {
  const reply = replyKey(intent, home);
  const { to } = intent.envelope;
  return reply === null || reply === to ? [to] : [to, reply];
}
