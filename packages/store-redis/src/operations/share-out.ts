/** What one shard has due, the longest first. */
export interface DueList {
  readonly due: readonly number[];
  /** Whether the shard may have more due than the list tells. */
  readonly isCut: boolean;
}

/**
 * How many of the longest due of all shards are each shard's: one number per list, `limit` in all at
 * most. What is due later than the end of a list that was cut is left out, since the shard of that list
 * may have what is due before it.
 */
export function shareOut(lists: readonly DueList[], limit: number): number[] {
  const known = Math.min(...lists.map(({ due, isCut }) => (isCut ? (due.at(-1) ?? 0) : Infinity)));
  const all = lists.flatMap(({ due }, list) => due.map((dueAt) => ({ dueAt, list })));
  const shares = lists.map(() => 0);
  const eligible = all.filter(({ dueAt }) => dueAt <= known).sort((a, b) => a.dueAt - b.dueAt);
  for (const { list } of eligible.slice(0, limit)) shares[list] = (shares[list] ?? 0) + 1;
  return shares;
}
