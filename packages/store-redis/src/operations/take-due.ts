import type { Claimed, ClaimRequest } from '@durable-api/core';
import { unpackRecord } from '../intent-fields.ts';
import { asList, asNumber, asText } from '../reply.ts';
import { CLAIM } from '../scripts/claim.ts';
import { PEEK_DUE } from '../scripts/peek-due.ts';
import type { Session } from '../session.ts';
import type { ShardKeys } from '../shard-keys.ts';
import type { DueList } from './share-out.ts';

/** About how many bytes of records and inputs one shard gives in one claim. */
export const MAX_BYTES = 4_194_304;
/** When to look again at what is due and could not be taken, in ms. */
const AGAIN_MS = 250;

/** The length of an intent's id. */
const ID_LENGTH = 36;

/** How things stand in one shard. */
export interface Outlook {
  readonly shard: ShardKeys;
  readonly now: number;
  readonly nextDueAt: number | null;
}

/** A claimed intent, with when it was due before. */
export interface Taken extends Claimed {
  readonly wasDueAt: number;
}

/** What one shard has due of the request's operations; `limit` at most. */
export async function peekDue(
  { connection }: Session,
  shard: ShardKeys,
  { operations }: ClaimRequest,
  limit: number,
): Promise<Outlook & DueList> {
  const keys = [...new Set(operations)].map((operation) => shard.due(operation));
  const reply = await connection.script(shard.tag, PEEK_DUE, keys, [String(limit)]);
  const [now, next, joined] = asList(reply).map(asText);
  const due = joined === undefined || joined === '' ? [] : joined.split(',').map(Number);
  const nextDueAt = toDueAt(next);
  return { shard, now: asNumber(now), nextDueAt, due, isCut: due.length === limit };
}

/** Takes the leases of the longest due of one shard. */
export async function takeDue(
  { connection }: Session,
  shard: ShardKeys,
  { operations, holder, leaseMs }: ClaimRequest,
  limit: number,
): Promise<Outlook & { readonly taken: readonly Taken[] }> {
  const keys = [...new Set(operations)].map((operation) => shard.due(operation));
  const reply = await connection.script(shard.tag, CLAIM, keys, [
    String(limit),
    holder,
    String(leaseMs),
    shard.intentPrefix,
    String(MAX_BYTES),
  ]);
  const [now, next, skipped, ...rest] = asList(reply);
  const instant = asNumber(now);
  const taken: Taken[] = [];
  for (let i = 0; i + 1 < rest.length; i += 2) {
    taken.push(toTaken(asText(rest[i]), asText(rest[i + 1])));
  }
  const nextDueAt = toDueAt(asText(next));
  // What was skipped is due still, and will be until its slot has moved: that is not worth a busy loop.
  const isHeldUp = asNumber(skipped) > 0 && nextDueAt !== null;
  const lookAt = isHeldUp ? Math.max(nextDueAt, instant + AGAIN_MS) : nextDueAt;
  return { shard, now: instant, nextDueAt: lookAt, taken };
}

/** Reads a lease that a script has taken. */
export function toTaken(text: string, input: string): Taken {
  const lineEnd = text.indexOf('\n');
  const blank = text.indexOf(' ', lineEnd);
  const record = text.slice(ID_LENGTH, lineEnd);
  const meta = text.slice(blank + 1);
  const wasDueAt = asNumber(text.slice(lineEnd + 1, blank));
  return { record: unpackRecord(text.slice(0, ID_LENGTH), { record, meta }), input, wasDueAt };
}

/** Reads an instant that may be none. */
export function toDueAt(text: string | undefined): number | null {
  return text === undefined || text === '' ? null : asNumber(text);
}
