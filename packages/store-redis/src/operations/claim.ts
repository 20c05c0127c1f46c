import type { ClaimRequest, ClaimResult } from '@durable-api/core';
import type { Session } from '../session.ts';
import { claimKeyed } from './claim-keyed.ts';
import { gather } from './gather.ts';
import { shareOut } from './share-out.ts';
import { peekDue, takeDue, type Outlook, type Taken } from './take-due.ts';

/** When to look again at shards that could not be looked at, in ms. */
const AGAIN_MS = 250;

/** What one round of looking and taking has brought. */
interface Round {
  readonly taken: readonly Taken[];
  readonly outlooks: readonly Outlook[];
  readonly now: number;
  /** Whether there may be more due than the round could take. */
  readonly isCut: boolean;
  readonly hasFailures: boolean;
}

/** Takes leases. Shards that fail are left out, unless all do. */
export async function claim(session: Session, request: ClaimRequest): Promise<ClaimResult> {
  if (request.keyed === undefined || request.keyed.length === 0) return claimDue(session, request);
  const turns = await claimKeyed(session, request);
  const limit = request.limit - turns.claimed.length;
  if (request.operations.length === 0 || limit === 0) return turns;
  const others = await claimDue(session, { ...request, limit });
  const next = Math.min(turns.nextDueAt ?? Infinity, others.nextDueAt ?? Infinity);
  return {
    ...turns,
    claimed: [...turns.claimed, ...others.claimed],
    nextDueAt: next === Infinity ? null : next,
  };
}

/** Takes the leases of what has no key, the longest due of all shards first. */
async function claimDue(session: Session, request: ClaimRequest): Promise<ClaimResult> {
  const taken: Taken[] = [];
  for (;;) {
    const left = request.limit - taken.length;
    const round = await (session.shards.length === 1
      ? takeFromOne(session, request, left)
      : takeFromAll(session, request, left));
    taken.push(...round.taken);
    if (round.isCut && round.taken.length > 0 && taken.length < request.limit) continue;
    const nexts = round.outlooks.map(({ nextDueAt }) => nextDueAt ?? Infinity);
    if (round.hasFailures) nexts.push(round.now + AGAIN_MS);
    const next = Math.min(...nexts);
    const claimed = taken.map(({ record, input }) => ({ record, input }));
    return { claimed, nextDueAt: next === Infinity ? null : next, now: round.now };
  }
}

async function takeFromOne(session: Session, request: ClaimRequest, limit: number): Promise<Round> {
  const outlooks = await Promise.all(
    session.shards.map((shard) => takeDue(session, shard, request, limit)),
  );
  const taken = outlooks.flatMap((each) => each.taken);
  return { taken, outlooks, now: latest(outlooks), isCut: false, hasFailures: false };
}

async function takeFromAll(session: Session, request: ClaimRequest, limit: number): Promise<Round> {
  const { shards } = session;
  // Twice an even share is nearly always enough; if not, there is another round.
  const each = Math.min(limit, Math.ceil((2 * limit) / shards.length) + 8);
  const peeks = await gather(shards.map((shard) => peekDue(session, shard, request, each)));
  const shares = shareOut(peeks.values, limit);
  const due = peeks.values.flatMap(({ shard }, i) => {
    const share = shares[i] ?? 0;
    return share > 0 ? [{ shard, share }] : [];
  });
  const takes = await gather(
    due.map(({ shard, share }) => takeDue(session, shard, request, share)),
  );
  const touched = new Set(takes.values.map(({ shard }) => shard));
  const untouched = peeks.values.filter(({ shard }) => !touched.has(shard));
  const taken = takes.values.flatMap((one) => one.taken);
  return {
    taken: taken.sort((a, b) => a.wasDueAt - b.wasDueAt),
    outlooks: [...untouched, ...takes.values],
    now: latest(takes.values.length > 0 ? takes.values : peeks.values),
    isCut: peeks.values.some(({ isCut }) => isCut),
    hasFailures: peeks.hasFailures || takes.hasFailures,
  };
}

function latest(outlooks: readonly Outlook[]): number {
  return Math.max(...outlooks.map(({ now }) => now));
}
