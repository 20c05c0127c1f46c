import { asList, asNumber, asText } from '../reply.ts';
import { allOrThrow, scatter } from '../scatter.ts';
import { FIND_ABANDONED } from '../scripts/find-abandoned.ts';
import { RESERVE } from '../scripts/reserve.ts';
import { SETTLE_KEY } from '../scripts/settle-key.ts';
import { shardOf, writeAcknowledged, type Session } from '../session.ts';
import type { ShardKeys } from '../shard-keys.ts';
import { bytesOfSubmit, unpackReservation, type KeyedSubmit } from './packed-submit.ts';

/** A submit whose key is to be reserved. */
export interface Reserving {
  readonly submit: KeyedSubmit;
  /** The owner that may be replaced since it is gone; '' for none. */
  readonly replaces: string;
}

/** The end of a reservation, for the key's owner `id`. */
export interface Settling {
  readonly key: string;
  readonly id: string;
  /** `release` when the id turned out to be another intent's. */
  readonly how: 'confirm' | 'release';
}

/** Reserves keys; gives null for each that was reserved, else the id that owns the key. */
export function reserve(
  session: Session,
  items: readonly Reserving[],
): Promise<PromiseSettledResult<string | null>[]> {
  return scatter(session, items, {
    placeOf: ({ submit }) => submit.key,
    bytesOf: ({ submit }) => bytesOfSubmit(submit),
    send: async (shard, part) => {
      const keys = part.flatMap(({ submit }) => keysOf(shard, submit.key));
      const args = part.flatMap(({ submit, replaces }) => [
        submit.key,
        submit.id,
        replaces,
        submit.operation,
        submit.record,
        submit.meta,
        submit.input,
        submit.events,
      ]);
      const all = [shard.reserved, ...keys];
      const reply = await writeAcknowledged(session, shard, RESERVE, all, args);
      return asList(reply).map((owner) => (owner === 1 ? null : asText(owner)));
    },
  });
}

/** Ends reservations. Those that have another owner by now are left alone. */
export async function settle(session: Session, items: readonly Settling[]): Promise<void> {
  const settled = await scatter(session, items, {
    placeOf: ({ key }) => key,
    bytesOf: ({ key }) => key.length,
    send: async (shard, part) => {
      const keys = part.flatMap(({ key }) => keysOf(shard, key));
      const args = part.flatMap(({ key, id, how }) => [key, id, how]);
      const count = await session.connection.script(
        shard.tag,
        SETTLE_KEY,
        [shard.reserved, ...keys],
        args,
      );
      return part.map(() => asNumber(count));
    },
  });
  allOrThrow(settled);
}

/** The submit that a reserved key is reserved for; null when the key is not reserved. */
export async function readReservation(session: Session, key: string): Promise<KeyedSubmit | null> {
  const { tag, reservation } = shardOf(session, key);
  const fields = await session.connection.call(tag, (client) => client.hgetall(reservation(key)));
  return unpackReservation(key, fields);
}

/** Up to `limit` keys of a shard that have been reserved for longer than `ageMs`. */
export async function findAbandoned(
  session: Session,
  shard: ShardKeys,
  ageMs: number,
  limit: number,
): Promise<readonly string[]> {
  const args = [String(ageMs), String(limit)];
  const reply = await session.connection.script(shard.tag, FIND_ABANDONED, [shard.reserved], args);
  return asList(reply).map(asText);
}

function keysOf(shard: ShardKeys, key: string): [owner: string, reservation: string] {
  return [shard.keyOwner(key), shard.reservation(key)];
}
