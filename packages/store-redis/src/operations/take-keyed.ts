import type { ClaimRequest, KeyedOperation } from '@durable-api/core';
import { asList, asNumber, asText } from '../reply.ts';
import { CLAIM_KEYED } from '../scripts/claim-keyed.ts';
import { LINE_UP_ALL } from '../scripts/line-up-all.ts';
import { PEEK_LANES } from '../scripts/peek-lanes.ts';
import type { Session } from '../session.ts';
import type { ShardKeys } from '../shard-keys.ts';
import type { Ranked } from './share-lanes.ts';
import { MAX_BYTES, toDueAt, toTaken, type Outlook, type Taken } from './take-due.ts';

/** How things stand among the lanes of one shard. */
export interface LaneOutlook extends Outlook {
  readonly isHeldBack: boolean;
}

/** Has the next claim look at all lanes of these operations, whatever limits were gone by before. */
export async function lineUpAll(
  { connection }: Session,
  shard: ShardKeys,
  keyed: readonly KeyedOperation[],
): Promise<void> {
  await connection.script(shard.tag, LINE_UP_ALL, keysOf(shard, keyed), []);
}

/** Looks who is in line of these operations. */
export async function peekLanes(
  { connection }: Session,
  shard: ShardKeys,
  keyed: readonly KeyedOperation[],
  limit: number,
): Promise<LaneOutlook & Ranked> {
  const keys = keysOf(shard, keyed);
  const reply = await connection.script(shard.tag, PEEK_LANES, keys, [String(limit)]);
  const [now, next, full, ...ranks] = asList(reply);
  return { ...toOutlook(shard, now, next, full), ranks: ranks.map(asNumber) };
}

/** Takes leases in one shard, in turns, of lanes whose priority is not lower than `lowest`. */
export async function takeKeyed(
  { connection }: Session,
  shard: ShardKeys,
  { holder, leaseMs }: ClaimRequest,
  keyed: readonly KeyedOperation[],
  limit: number,
  lowest: number,
): Promise<LaneOutlook & { readonly taken: readonly Taken[] }> {
  const reply = await connection.script(shard.tag, CLAIM_KEYED, keysOf(shard, keyed), [
    String(limit),
    holder,
    String(leaseMs),
    shard.base,
    shard.intentPrefix,
    String(MAX_BYTES),
    String(lowest),
    ...keyed.flatMap(argumentsOf),
  ]);
  const [now, next, full, ...rest] = asList(reply);
  const taken: Taken[] = [];
  for (let i = 0; i + 1 < rest.length; i += 2) {
    taken.push(toTaken(asText(rest[i]), asText(rest[i + 1])));
  }
  return { ...toOutlook(shard, now, next, full), taken };
}

function keysOf(shard: ShardKeys, keyed: readonly KeyedOperation[]): string[] {
  return keyed.flatMap(({ operation }) => {
    const { lanes, line, parked, full } = shard.lanes(operation);
    return [lanes, line, parked, full];
  });
}

function argumentsOf({ operation, room, perKey, rateLimit }: KeyedOperation): string[] {
  const numbers = [room, perKey, rateLimit?.limit, rateLimit?.periodMs];
  return [operation, ...numbers.map((number) => String(number ?? '-'))];
}

function toOutlook(shard: ShardKeys, now: unknown, next: unknown, full: unknown): LaneOutlook {
  return {
    shard,
    now: asNumber(now),
    nextDueAt: toDueAt(asText(next)),
    isHeldBack: asNumber(full) > 0,
  };
}
