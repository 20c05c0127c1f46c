import type { Connection, ScriptArgument } from './connection.ts';
import { shardIndex, type ShardKeys } from './shard-keys.ts';

/** An open data set, as operations use it. */
export interface Session {
  readonly connection: Connection;
  readonly shards: readonly ShardKeys[];
  /** Who the wake-ups are from; has no blank. */
  readonly sender: string;
  /** The operations of whose lanes this process has looked at all; see `claimKeyed`. */
  readonly linedUp: Set<string>;
  /** The operations that this process has noted, each behind the tag of its shard; see `addOperations`. */
  readonly known: Set<string>;
  /** How many replicas must confirm what is acknowledged. */
  readonly requireReplicas: number;
  /**
   * Lets `work` go on without anybody waiting for it, except `close`. For what is repaired later if it
   * fails, so a failure is nobody's concern.
   */
  background(work: Promise<unknown>): void;
}

/** The shard of an intent by its id, or of an idempotency key by the key. */
export function shardOf({ shards }: Session, idOrKey: string): ShardKeys {
  const shard = shards[shardIndex(idOrKey, shards.length)];
  if (shard === undefined) throw new Error('A data set has at least one shard.');
  return shard;
}

/** Runs a script whose writes are about to be acknowledged, and has them replicated if that is asked. */
export async function writeAcknowledged(
  { connection, requireReplicas }: Session,
  shard: ShardKeys,
  script: string,
  keys: readonly string[],
  args: readonly ScriptArgument[],
): Promise<unknown> {
  const reply = await connection.script(shard.tag, script, keys, args);
  if (requireReplicas > 0) await connection.replicate(shard.tag, shard.ids, requireReplicas);
  return reply;
}
