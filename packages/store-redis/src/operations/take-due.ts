import type { Claimed, ClaimRequest } from '@durable-api/core';
import { unpackRecord } from '../intent-fields.ts';
import { asList, asNumber, asText } from '../reply.ts';
import { CLAIM } from '../scripts/claim.ts';
import { PEEK_DUE } from '../scripts/peek-due.ts';
import type { Session } from '../session.ts';
import type { ShardKeys } from '../shard-keys.ts';
import type { DueList } from './share-out.ts';

/** About how many bytes of records and inputs one shard gives in one claim. */
const MAX_BYTES = 4_194_304;
/** When to look again at what is due and could not be taken, in ms. */
const AGAIN_MS = 250;

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
  const keys = operations.map((operation) => shard.due(operation));
  const reply = await connection.script(PEEK_DUE, keys, [String(limit)]);
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
  const keys = operations.map((operation) => shard.due(operation));
  const reply = await connection.script(CLAIM, keys, [
    String(limit),
    holder,
    String(leaseMs),
    shard.intentPrefix,
    String(MAX_BYTES),
  ]);
  const [now, next, skipped, ...rest] = asList(reply);
  const instant = asNumber(now);
  const taken: Taken[] = [];
  for (let i = 0; i + 3 < rest.length; i += 4) {
    const record = asText(rest[i + 1]);
    const meta = asText(rest[i + 2]);
    const input = asText(rest[i + 3]);
    taken.push({ record: unpackRecord({ record, meta }), input, wasDueAt: asNumber(rest[i]) });
  }
  const nextDueAt = toDueAt(asText(next));
  // What was skipped is due still, and will be until its slot has moved: that is not worth a busy loop.
  const isHeldUp = asNumber(skipped) > 0 && nextDueAt !== null;
  const lookAt = isHeldUp ? Math.max(nextDueAt, instant + AGAIN_MS) : nextDueAt;
  return { shard, now: instant, nextDueAt: lookAt, taken };
}

function toDueAt(text: string | undefined): number | null {
  return text === undefined || text === '' ? null : asNumber(text);
}
