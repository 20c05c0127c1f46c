import type { PruneRequest } from '@durable-api/core';
import type { Database } from './database.ts';
import { number } from './record.ts';
import { PRUNE } from './sql/prune.ts';

/** Removes what is old: see `Store.prune`. */
export async function prune(
  database: Database,
  { endedBefore, keyedBefore, limit }: PruneRequest,
): Promise<number> {
  const { rows } = await database.run(PRUNE, [
    Math.floor(endedBefore),
    Math.floor(keyedBefore),
    limit,
  ]);
  const [row] = rows;
  return row === undefined ? 0 : number(row, 0);
}
