import type { DatabaseSync } from 'node:sqlite';
import type { ClaimRequest, KeyedOperation } from '@durable-api/core';
import { prepareLanes, type LaneStatements } from './lane-statements.ts';

/** What a claim of intents with keys has come to: what was taken, and how things are left. */
interface KeyedClaim<Claimed> {
  readonly claimed: readonly Claimed[];
  readonly nextDueAt: number | null;
  readonly isHeldBack: boolean;
}

/** A lane in line. */
interface Lane {
  readonly operation: string;
  readonly key: string;
  readonly priority: number;
  readonly turn: number;
}

/** At a limit, and until when if nothing happens. */
interface Blocked {
  readonly until: number;
  readonly isFull: boolean;
}

/**
 * Prepares the choosing among intents with keys; `take` takes the lease of one. Call the result inside a
 * write transaction.
 */
export function prepareClaimKeyed<Claimed>(
  db: DatabaseSync,
  take: (request: ClaimRequest, n: number) => Claimed,
): (request: ClaimRequest) => KeyedClaim<Claimed> {
  const lanes = prepareLanes(db);
  const known = new Set<string>();
  const inLine = db.prepare(
    `SELECT operation, key, priority, turn FROM lanes
     WHERE operation = ? AND look_at = 0 ORDER BY priority DESC, turn LIMIT ?`,
  );
  return (request) => {
    const { now, limit, keyed = [] } = request;
    const operations = new Map(keyed.map((each) => [each.operation, each]));
    const rooms = new Map(keyed.map(({ operation, room }) => [operation, room ?? Infinity]));
    for (const operation of operations.keys()) {
      if (known.has(operation)) lanes.ripen({ operation, now });
      // Whoever looked before this process came may have gone by other limits.
      else lanes.ripenAll({ operation });
      known.add(operation);
    }
    const open = (): string[] =>
      [...rooms].flatMap(([operation, room]) => (room > 0 ? [operation] : []));
    const lineUp = (): Lane[] =>
      open()
        .flatMap((operation) => inLine.all(operation, limit).map(toLane))
        .sort((a, b) => b.priority - a.priority || a.turn - b.turn);
    const claimed: Claimed[] = [];
    let line = lineUp();
    while (claimed.length < limit) {
      const lane = line.shift() ?? (line = lineUp()).shift();
      if (lane === undefined) break;
      const operation = operations.get(lane.operation);
      const room = rooms.get(lane.operation) ?? 0;
      if (operation === undefined || room <= 0) continue;
      const next = nextOf(lanes, lane, operation, now);
      if (next === null) continue;
      claimed.push(take(request, next));
      rooms.set(lane.operation, room - 1);
      // Back to the end of the line, as far as its priority goes.
      const { priority } = lane;
      line.splice(line.findLastIndex((other) => other.priority >= priority) + 1, 0, lane);
    }
    const looks = open().map((operation) => lanes.nextLook({ operation }) ?? Infinity);
    const nextDueAt = Math.min(...looks);
    return {
      claimed,
      // A lane in line is looked at by the next claim.
      nextDueAt: nextDueAt === Infinity ? null : Math.max(nextDueAt, now),
      isHeldBack: keyed.some(({ operation }) => lanes.isHeldBack({ operation }) !== null),
    };
  };
}

/** The number of the intent that may be taken of a lane next; if there is none the lane leaves the line. */
function nextOf(
  lanes: LaneStatements,
  { operation, key, priority }: Lane,
  { perKey, rateLimit }: KeyedOperation,
  now: number,
): number | null {
  const lane = { operation, key, priority, now };
  const dueAt = lanes.firstDue(lane);
  if (dueAt === null) lanes.remove(lane);
  else if (dueAt > now) lanes.park({ ...lane, lookAt: dueAt, isFull: 0 });
  if (dueAt === null || dueAt > now) return null;

  // What is past its deadline will not be worked on, so that it needs no place.
  const late = lanes.late(lane);
  if (late === null) {
    const blocked = blockedOf(lanes, lane, { perKey, rateLimit });
    if (blocked !== null) {
      const lookAt = Math.min(blocked.until, lanes.nextDeadline(lane) ?? Infinity);
      lanes.park({ ...lane, lookAt, isFull: blocked.isFull ? 1 : 0 });
      return null;
    }
    if (rateLimit !== null) lanes.noteStart({ ...lane, until: now + rateLimit.periodMs });
  }
  lanes.serve(lane);
  const number = late ?? lanes.head(lane);
  if (number === null) throw new Error('What was due vanished under the lock.');
  return number;
}

function blockedOf(
  lanes: LaneStatements,
  lane: Omit<Lane, 'turn'> & { readonly now: number },
  { perKey, rateLimit }: Pick<KeyedOperation, 'perKey' | 'rateLimit'>,
): Blocked | null {
  if (perKey !== null) {
    lanes.expel(lane);
    if ((lanes.countHeld(lane) ?? 0) >= perKey)
      return { until: lanes.nextFreed(lane) ?? lane.now, isFull: true };
  }
  if (rateLimit === null) return null;
  const { limit, periodMs } = rateLimit;
  lanes.forgetStarts(lane);
  const window = { ...lane, since: lane.now - periodMs };
  if ((lanes.countStarts(window) ?? 0) < limit) return null;
  return { until: (lanes.firstStart(window) ?? lane.now) + periodMs, isFull: false };
}

function toLane({ operation, key, priority, turn }: Record<string, unknown>): Lane {
  return {
    operation: String(operation),
    key: String(key),
    priority: Number(priority),
    turn: Number(turn),
  };
}
