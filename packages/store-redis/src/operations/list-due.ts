import type { IntentRecord, ListRequest } from '@durable-api/core';
import { unpackRecord } from '../intent-fields.ts';
import { asList, asText } from '../reply.ts';
import { LIST_DUE } from '../scripts/list-due.ts';
import type { Session } from '../session.ts';
import type { ShardKeys } from '../shard-keys.ts';

type Due = NonNullable<ListRequest['due']>;

/** Lists what is due of other operations, the longest due of all shards first. */
export async function listDue(session: Session, due: Due, limit: number): Promise<IntentRecord[]> {
  const { shards } = session;
  const each = await Promise.all(shards.map((shard) => listShard(session, shard, due, limit)));
  return each
    .flat()
    .sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0) || (a.id < b.id ? -1 : 1))
    .slice(0, limit);
}

/**
 * Has a shard know of operations of which intents are about to be stored there: each once in the life of
 * this process, so that submits cost no more.
 */
export async function addOperations(
  { connection, known }: Session,
  shard: ShardKeys,
  operations: Iterable<string>,
): Promise<void> {
  const names = [...new Set(operations)].filter((name) => !known.has(`${shard.tag} ${name}`));
  if (names.length === 0) return;
  await connection.call(shard.tag, (client) => client.sadd(shard.operations, ...names));
  for (const name of names) known.add(`${shard.tag} ${name}`);
}

async function listShard(
  { connection }: Session,
  shard: ShardKeys,
  { except, after }: Due,
  limit: number,
): Promise<IntentRecord[]> {
  const reply = await connection.script(
    shard.tag,
    LIST_DUE,
    [shard.operations],
    [
      shard.base,
      shard.intentPrefix,
      String(limit),
      String(after?.dueAt ?? 0),
      after?.id ?? '',
      JSON.stringify(except),
    ],
  );
  const parts = asList(reply).map(asText);
  const records: IntentRecord[] = [];
  for (let i = 0; i + 3 < parts.length; i += 4) {
    const [, id = '', record = '', meta = ''] = parts.slice(i, i + 4);
    records.push(unpackRecord(id, { record, meta }));
  }
  return records;
}
