import type { PruneRequest } from '@durable-api/core';
import { asList, asNumber, asText } from '../reply.ts';
import { allOrThrow, scatter } from '../scatter.ts';
import { FIND_OLD } from '../scripts/find-old.ts';
import { REMOVE } from '../scripts/remove.ts';
import type { Session } from '../session.ts';
import type { ShardKeys } from '../shard-keys.ts';
import { recoverReservations } from './recover-reservations.ts';
import { settle } from './reservations.ts';

/**
 * Removes old ended intents. Their idempotency keys go first: should it stop in between, the intents
 * are found again, while keys of intents that are gone would never be.
 */
export async function prune(session: Session, request: PruneRequest): Promise<number> {
  await recoverReservations(session);
  const found = await Promise.all(session.shards.map((shard) => findOld(session, shard, request)));
  const old = found.flat().slice(0, request.limit);
  const keyed = old.flatMap(({ id, key }) => (key === null ? [] : [{ key, id }]));
  await settle(
    session,
    keyed.map(({ key, id }) => ({ key, id, how: 'release' })),
  );
  const removed = await scatter(session, old, {
    placeOf: ({ id }) => id,
    bytesOf: ({ member }) => member.length,
    send: async (shard, part) => {
      const { ids, stats, ended, keyedByEnd, keyedByCreation } = shard;
      const fixed = [ids, stats, ended, keyedByEnd, keyedByCreation];
      const keys = [...fixed, ...part.map(({ id }) => shard.intent(id))];
      const args = part.flatMap(({ id, member }) => [id, member]);
      const count = asNumber(await session.connection.script(shard.tag, REMOVE, keys, args));
      return part.map((_, i) => (i < count ? 1 : 0));
    },
  });
  return allOrThrow(removed).filter((count) => count === 1).length;
}

interface Old {
  readonly id: string;
  readonly key: string | null;
  readonly member: string;
}

async function findOld(
  session: Session,
  shard: ShardKeys,
  { endedBefore, keyedBefore, limit }: PruneRequest,
): Promise<Old[]> {
  const keys = [shard.ended, shard.keyedByEnd, shard.keyedByCreation];
  const args = [String(endedBefore), String(keyedBefore), String(limit)];
  const reply = await session.connection.script(shard.tag, FIND_OLD, keys, args);
  return asList(reply).map((member) => {
    const text = asText(member);
    const blank = text.indexOf(' ');
    if (blank < 0) return { id: text, key: null, member: text };
    return { id: text.slice(0, blank), key: text.slice(blank + 1), member: text };
  });
}
