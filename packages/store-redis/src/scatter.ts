import { shardOf, type Session } from './session.ts';
import type { ShardKeys } from './shard-keys.ts';

/** How many items one script takes at most: it holds up everybody else while it runs. */
const MAX_ITEMS = 256;
/** About how many bytes one script takes at most, unless a single item has more. */
const MAX_BYTES = 1_048_576;

/** How a batch is taken apart and sent. */
export interface Scattering<Item, Result> {
  /** What decides the shard of an item: its id, or an idempotency key. */
  readonly placeOf: (item: Item) => string;
  /** About how large an item is. */
  readonly bytesOf: (item: Item) => number;
  /** Sends a part to its shard; one result per item, in order. */
  readonly send: (shard: ShardKeys, items: readonly Item[]) => Promise<readonly Result[]>;
}

interface Part<Item> {
  readonly shard: ShardKeys;
  readonly items: Item[];
  readonly indexes: number[];
  bytes: number;
}

/**
 * Sends a batch in parts, each to its shard, all at once: ioredis writes them to the connections in one
 * go, so that a batch costs one round trip. Parts of one shard are done in order. A part that fails
 * fails for its own items only.
 */
export async function scatter<Item, Result>(
  session: Session,
  items: readonly Item[],
  scattering: Scattering<Item, Result>,
): Promise<PromiseSettledResult<Result>[]> {
  const results: PromiseSettledResult<Result>[] = [];
  const send = async ({ shard, items, indexes }: Part<Item>): Promise<void> => {
    try {
      const values = await scattering.send(shard, items);
      if (values.length !== indexes.length) throw new Error('Redis left out a result.');
      for (const [i, value] of values.entries()) {
        results[indexes[i] ?? 0] = { status: 'fulfilled', value };
      }
    } catch (reason) {
      for (const index of indexes) results[index] = { status: 'rejected', reason };
    }
  };
  const parts = takeApart(session, items, scattering);
  await Promise.all(session.connection.together(() => parts.map(send)));
  return results;
}

/** The values of a batch; throws if any item failed. */
export function allOrThrow<Result>(settled: readonly PromiseSettledResult<Result>[]): Result[] {
  return settled.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
}

function takeApart<Item, Result>(
  session: Session,
  items: readonly Item[],
  { placeOf, bytesOf }: Scattering<Item, Result>,
): Part<Item>[] {
  const parts: Part<Item>[] = [];
  const growing = new Map<ShardKeys, Part<Item>>();
  for (const [index, item] of items.entries()) {
    const shard = shardOf(session, placeOf(item));
    const bytes = bytesOf(item);
    let part = growing.get(shard);
    if (part === undefined || part.items.length >= MAX_ITEMS || part.bytes + bytes > MAX_BYTES) {
      part = { shard, items: [], indexes: [], bytes: 0 };
      growing.set(shard, part);
      parts.push(part);
    }
    part.items.push(item);
    part.indexes.push(index);
    part.bytes += bytes;
  }
  return parts;
}
