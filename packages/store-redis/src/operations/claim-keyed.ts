import type { ClaimRequest, ClaimResult, KeyedOperation } from '@durable-api/core';
import type { Session } from '../session.ts';
import { gather } from './gather.ts';
import { shareLanes } from './share-lanes.ts';
import type { Taken } from './take-due.ts';
import { lineUpAll, peekLanes, takeKeyed, type LaneOutlook } from './take-keyed.ts';

/** When to look again at shards that could not be looked at, in ms. */
const AGAIN_MS = 250;
/** How often one claim looks and takes; what is left then is left to the next one. */
const MAX_ROUNDS = 8;
/** The lowest priority that there is. */
const LOWEST = -100;

/** Takes the leases of intents with keys, the lanes of all shards in turns. */
export async function claimKeyed(session: Session, request: ClaimRequest): Promise<ClaimResult> {
  const { shards, linedUp } = session;
  const { keyed = [], limit } = request;
  if (keyed.some(({ operation }) => !linedUp.has(operation))) {
    // Whoever looked before this process came may have gone by other limits.
    await Promise.all(shards.map((shard) => lineUpAll(session, shard, keyed)));
    for (const { operation } of keyed) linedUp.add(operation);
  }
  const [only, ...others] = shards;
  if (only === undefined) throw new Error('A data set has at least one shard.');
  if (others.length > 0) return claimFromAll(session, request);
  const { taken, ...left } = await takeKeyed(session, only, request, keyed, limit, LOWEST);
  return toResult(taken, [left]);
}

async function claimFromAll(session: Session, request: ClaimRequest): Promise<ClaimResult> {
  const taken: Taken[] = [];
  let takenAt = -Infinity;
  let hasFailures = false;
  for (let round = 0; ; round += 1) {
    const keyed = withRoom(request, taken);
    const limit = keyed.length === 0 ? 0 : request.limit - taken.length;
    const lines = await gather(
      session.shards.map((shard) => peekLanes(session, shard, keyed, Math.max(1, limit))),
    );
    const shares = shareLanes(lines.values, limit);
    hasFailures ||= lines.hasFailures;
    if (shares.length === 0 || hasFailures || round === MAX_ROUNDS) {
      const result = toResult(taken, lines.values);
      const now = taken.length > 0 ? takenAt : result.now;
      const nexts = [result.nextDueAt ?? Infinity, hasFailures ? now + AGAIN_MS : Infinity];
      // Who is in line may be served at once, by whomever has room.
      if (lines.values.some(({ ranks }) => ranks.length > 0)) nexts.push(now);
      return { ...result, nextDueAt: earliest(...nexts), now };
    }
    // One after the other: the room of an operation is for all shards together.
    for (const { line, share, lowest } of shares) {
      const open = withRoom(request, taken);
      if (open.length === 0) break;
      const asked = [takeKeyed(session, line.shard, request, open, share, lowest)];
      const [took] = await Promise.allSettled(asked);
      if (took?.status === 'fulfilled') {
        taken.push(...took.value.taken);
        takenAt = Math.max(takenAt, took.value.now);
      } else if (taken.length === 0) throw took?.reason;
      else hasFailures = true;
    }
  }
}

/** The operations that have room left when this was taken, with that room. */
function withRoom({ keyed = [] }: ClaimRequest, taken: readonly Taken[]): KeyedOperation[] {
  return keyed
    .map((each): KeyedOperation => {
      if (each.room === null) return each;
      const count = taken.filter(({ record }) => record.operation === each.operation).length;
      return { ...each, room: each.room - count };
    })
    .filter(({ room }) => room === null || room > 0);
}

function toResult(taken: readonly Taken[], outlooks: readonly LaneOutlook[]): ClaimResult {
  return {
    claimed: taken.map(({ record, input }) => ({ record, input })),
    nextDueAt: earliest(...outlooks.map(({ nextDueAt }) => nextDueAt ?? Infinity)),
    isHeldBack: outlooks.some(({ isHeldBack }) => isHeldBack),
    now: Math.max(...outlooks.map(({ now }) => now)),
  };
}

function earliest(...instants: readonly number[]): number | null {
  const first = Math.min(...instants);
  return first === Infinity ? null : first;
}
