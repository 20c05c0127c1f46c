import type { StoreStats } from '@durable-api/core';
import { STATUSES, type Status } from '@durable-api/protocol';
import type { Session } from '../session.ts';

/** Adds up the counts that the scripts keep in each shard. */
export async function stats({ connection, shards }: Session): Promise<StoreStats> {
  const each = await Promise.all(
    shards.map(({ tag, stats: key }) =>
      connection.call(tag, (client) => client.hmget(key, ...STATUSES)),
    ),
  );
  const byStatus: Partial<Record<Status, number>> = {};
  for (const [i, status] of STATUSES.entries()) {
    const sum = each.reduce((total, counts) => total + Number(counts[i] ?? 0), 0);
    if (sum > 0) byStatus[status] = sum;
  }
  return { byStatus };
}
