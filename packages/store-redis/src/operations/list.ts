import type { IntentRecord, ListRequest } from '@durable-api/core';
import { unpackRecord } from '../intent-fields.ts';
import { asList, asText } from '../reply.ts';
import { listDue } from './list-due.ts';
import { LIST } from '../scripts/list.ts';
import type { Session } from '../session.ts';
import type { ShardKeys } from '../shard-keys.ts';

/** How many intents one script looks at: it holds up everybody else while it runs. */
const PAGE = 500;

/** Lists intents, newest first. With a filter that few match, it looks at all intents, page by page. */
export async function list(session: Session, request: ListRequest): Promise<IntentRecord[]> {
  if (request.due !== undefined) return listDue(session, request.due, request.limit);
  const each = await Promise.all(session.shards.map((shard) => listShard(session, shard, request)));
  return each
    .flat()
    .sort((a, b) => (a.id < b.id ? 1 : -1))
    .slice(0, request.limit);
}

async function listShard(
  session: Session,
  shard: ShardKeys,
  { owner, operation, statuses, before, limit }: ListRequest,
): Promise<IntentRecord[]> {
  const filter = JSON.stringify({
    owner: owner ?? null,
    operation: operation ?? null,
    statuses: statuses ?? null,
  });
  const found: IntentRecord[] = [];
  let bound = before === undefined ? '+' : `(${before}`;
  while (found.length < limit) {
    const args = [bound, String(PAGE), String(limit - found.length), shard.intentPrefix, filter];
    const reply = await session.connection.script(shard.tag, LIST, [shard.ids], args);
    const [last, ...fields] = asList(reply).map(asText);
    for (let i = 0; i + 2 < fields.length; i += 3) {
      const [id, record, meta] = fields.slice(i, i + 3).map(asText);
      if (id !== undefined)
        found.push(unpackRecord(id, { record: asText(record), meta: asText(meta) }));
    }
    if (last === undefined || last === '') break;
    bound = `(${last}`;
  }
  return found;
}
