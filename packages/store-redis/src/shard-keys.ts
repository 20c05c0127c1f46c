import { SLOT_COUNT, slotOf } from './key-slot.ts';

/**
 * The names of all keys of one shard. They have one hash tag, so that they are in one slot, and one
 * script can touch any of them.
 */
export interface ShardKeys {
  /** The hash tag that all of them have. */
  readonly tag: string;
  /** What the keys of intents begin with; the id follows. */
  readonly intentPrefix: string;
  /** HASH per intent: r record, m meta, n input, e<seq> the events of a commit, a the response. */
  readonly intent: (id: string) => string;
  /** What the keys of lanes and their due sets begin with, for scripts that make them of names. */
  readonly base: string;
  /** ZSET per operation, or lane: ids by `dueAt`. */
  readonly due: (queue: string) => string;
  /** Per operation with keys, see `scripts/lanes.ts`: all of its lanes; those in line, parked and full. */
  readonly lanes: (operation: string) => LaneSets;
  /** SET per operation and key: the ids whose leases are held. */
  readonly held: (place: string) => string;
  /** ZSET per lane: ids by `deadlineAt`. */
  readonly late: (lane: string) => string;
  /** SET: the operations of which there may be intents. */
  readonly operations: string;
  /** ZSET: all ids in their own order. */
  readonly ids: string;
  /** HASH: how many intents have each status. */
  readonly stats: string;
  /** ZSET: ended intents without idempotency key by `updatedAt`. */
  readonly ended: string;
  /** ZSET: ended intents with one by `updatedAt`; members are the id, a blank and the key. */
  readonly keyedByEnd: string;
  /** ZSET: the same by `createdAt`. */
  readonly keyedByCreation: string;
  /** STRING per idempotency key: the id of the intent that owns it. */
  readonly keyOwner: (key: string) => string;
  /** HASH per idempotency key whose owner is not known to be stored: the owner's whole submit. */
  readonly reservation: (key: string) => string;
  /** ZSET: idempotency keys with a reservation by its instant. */
  readonly reserved: string;
  /** Channel of the shard's wake-ups. */
  readonly wakeUps: string;
}

/** The keys of the lanes of one operation. */
interface LaneSets {
  /** HASH: `t` and a lane its turn, `l` and a key the priorities of its lanes. */
  readonly lanes: string;
  /** ZSET: lanes that the next claim looks at, by their rank. */
  readonly line: string;
  /** ZSETs: lanes by when a claim must look at them; the latter are those whose key has no place free. */
  readonly parked: string;
  readonly full: string;
}

/**
 * Names the keys of `count` shards. In a Cluster, whose nodes have ranges of slots, the shards are
 * spread evenly: each has its slot in a part of its own of the range of slots.
 */
export function layOutShards(prefix: string, count: number): readonly ShardKeys[] {
  return Array.from({ length: count }, (_, index) => shardKeys(hashTag(prefix, index, count)));
}

/** The key of what is recorded of a data set as a whole: a HASH. */
export function metaKey(prefix: string): string {
  return `{${prefix}:meta}`;
}

/**
 * The shard, of `count`, of an intent by its id, and of an idempotency key by the key. The last four
 * letters decide: intents that share a key have those in common, see `placeId` of core.
 */
export function shardIndex(idOrKey: string, count: number): number {
  if (count === 1) return 0;
  let hash = 0x811c9dc5;
  for (let i = Math.max(0, idOrKey.length - 4); i < idOrKey.length; i += 1) {
    hash = Math.imul(hash ^ idOrKey.charCodeAt(i), 0x01000193);
  }
  // The low bits of FNV-1a depend on the low bits of the text alone.
  return ((hash ^ (hash >>> 16)) >>> 0) % count;
}

function hashTag(prefix: string, index: number, count: number): string {
  const plain = `${prefix}:${index}`;
  if (count === 1) return plain;
  const partOf = (tag: string): number => Math.floor((slotOf(tag) * count) / SLOT_COUNT);
  for (let salt = 0, tag = plain; ; salt += 1, tag = `${plain}.${salt}`) {
    if (partOf(tag) === index) return tag;
  }
}

function shardKeys(tag: string): ShardKeys {
  const base = `{${tag}}`;
  const intentPrefix = `${base}:i:`;
  return {
    tag,
    intentPrefix,
    intent: (id) => intentPrefix + id,
    base: `${base}:`,
    due: (queue) => `${base}:due:${queue}`,
    lanes: (operation) => ({
      lanes: `${base}:lanes:${operation}`,
      line: `${base}:line:${operation}`,
      parked: `${base}:parked:${operation}`,
      full: `${base}:full:${operation}`,
    }),
    held: (place) => `${base}:held:${place}`,
    late: (lane) => `${base}:late:${lane}`,
    operations: `${base}:operations`,
    ids: `${base}:ids`,
    stats: `${base}:stats`,
    ended: `${base}:ended`,
    keyedByEnd: `${base}:keyed:end`,
    keyedByCreation: `${base}:keyed:creation`,
    keyOwner: (key) => `${base}:k:${key}`,
    reservation: (key) => `${base}:r:${key}`,
    reserved: `${base}:reserved`,
    wakeUps: `${base}:wake`,
  };
}
