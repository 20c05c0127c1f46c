import type { Claimed, IntentRecord, Ledger } from '@durable-api/core';
import type { GatewayCore } from '../gateway-core.ts';
import { AxpError } from '../http/errors.ts';
import { isObject, type JsonObject } from '../http/json.ts';
import { addTo, beginEndless, endlessContent, entryOf } from '../storage/endless-intent.ts';
import { derivedId } from '../storage/derived-id.ts';

/** The operation of what is written to threads. */
export const THREAD = 'axp.thread';
/** How many entries a timeline shows, and a thread has at most. */
const MAX_SHOWN = 200;
const MAX_ENTRIES = 2_000;
/** How often a thread is looked at whether its intent is still there, in ms. */
const LOOK_MS = 24 * 3_600_000;
/** How many events one read has before what follows is left to the next. */
const PAGE = 256;

/** Something that was written to a thread. */
export interface ThreadEntry {
  readonly id: string;
  readonly type: string;
  readonly actor: string;
  /** In ms since the epoch. */
  readonly at: number;
  readonly details: JsonObject;
}

/** What is stored of a thread. */
export interface ThreadRecord {
  readonly record: IntentRecord;
  readonly intentId: string;
  readonly owner: string;
  /** The last of them, without those that were deleted. */
  readonly entries: readonly ThreadEntry[];
}

/** A thread to write to. */
export interface ThreadKey {
  /** The id of its record. */
  readonly id: string;
  readonly intentId: string;
  readonly owner: string;
}

/** One to write; its time is that of the writing. */
export interface NewEntry {
  readonly id?: string;
  readonly type: string;
  readonly actor: string;
  readonly details: JsonObject;
}

/** Makes a thread, of which nothing is to be seen until something is written to it or its intent ends. */
export async function beginThread(
  ledger: Ledger,
  { id, intentId, owner }: ThreadKey,
): Promise<IntentRecord> {
  const content = { intent_id: intentId, owner };
  const dueAt = ledger.now() + LOOK_MS;
  return beginEndless(ledger, { id, operation: THREAD, owner, content, dueAt });
}

/** @throws AxpError 409 when it is full */
export async function writeThread(
  ledger: Ledger,
  key: ThreadKey,
  entries: readonly (NewEntry | { readonly deleted: readonly string[] })[],
): Promise<void> {
  let record = await beginThread(ledger, key);
  for (;;) {
    if (record.seq > MAX_ENTRIES) {
      throw new AxpError(409, 'thread_full', `A thread has at most ${MAX_ENTRIES} entries.`);
    }
    const added = await addTo(ledger, record, {
      entries: entries.map((entry) => ({ ...entry })),
      record: { dueAt: ledger.now() + LOOK_MS },
    });
    if (added === null) throw new AxpError(404, 'thread_not_found', 'The thread is gone.');
    if (added.isWritten) return;
    ({ record } = added);
  }
}

/** What is stored under these ids; null where nothing is. */
export async function findThreads(
  ledger: Ledger,
  ids: readonly string[],
): Promise<(ThreadRecord | null)[]> {
  if (ids.length === 0) return [];
  const found = await ledger.get({ ids, include: 'input' });
  const written = found.flatMap((one) =>
    one?.record.operation === THREAD && one.record.seq > 2 ? [one.record] : [],
  );
  const entries = new Map<string, readonly ThreadEntry[]>();
  for (const record of written) entries.set(record.id, await entriesOf(ledger, record));
  return found.map((one) => {
    if (one?.record.operation !== THREAD) return null;
    const { intent_id: intentId, owner } = endlessContent(one);
    const { record } = one;
    return {
      record,
      intentId: String(intentId),
      owner: String(owner),
      entries: entries.get(record.id) ?? [],
    };
  });
}

/** Looks whether the intent of a thread is still there, and ends the thread when it is not. */
export async function seeToThread({ ledger }: GatewayCore, { record }: Claimed): Promise<void> {
  const [found] = await ledger.get({ ids: [record.id], include: 'input' });
  if (found === undefined) return;
  const [intent] = await ledger.get({ ids: [String(endlessContent(found)['intent_id'])] });
  if (intent !== undefined) await ledger.snooze(record, LOOK_MS);
  else await addTo(ledger, found.record, { entries: [{}], isEnd: true });
}

async function entriesOf(ledger: Ledger, record: IntentRecord): Promise<readonly ThreadEntry[]> {
  const entries = new Map<string, ThreadEntry>();
  let after = Math.max(2, record.seq - MAX_SHOWN);
  while (after < record.seq) {
    const [events = []] = await ledger.events({ of: [{ id: record.id, after }], limit: PAGE });
    for (const { seq, json } of events) {
      const stored = entryOf(json);
      if (stored === null) continue;
      const { at, details: entry } = stored;
      const { deleted } = entry;
      if (Array.isArray(deleted)) for (const id of deleted) entries.delete(String(id));
      else {
        const given = entry['id'];
        const id = typeof given === 'string' ? given : derivedId(record.id, String(seq));
        const details = isObject(entry['details']) ? entry['details'] : {};
        const { type, actor } = entry;
        entries.set(id, { id, type: String(type), actor: String(actor), at, details });
      }
    }
    after = events.at(-1)?.seq ?? record.seq;
  }
  return [...entries.values()];
}
