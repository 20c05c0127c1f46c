/** Who is in line in one shard, by their ranks. */
export interface Ranked {
  readonly ranks: readonly number[];
}

/** How many leases to take of one shard, and of which priority at least. */
export interface LaneShare<Line> {
  readonly line: Line;
  readonly share: number;
  readonly lowest: number;
}

/** How far apart the ranks of two priorities are, and which has the rank 0: as the scripts have it. */
const RANKS = 2 ** 42;
const HIGHEST = 100;

/**
 * Shares `limit` leases out among the lanes of the highest priority in line, in turns: whoever is first
 * gets the odd one. Nothing when nobody is in line.
 */
export function shareLanes<Line extends Ranked>(
  lines: readonly Line[],
  limit: number,
): LaneShare<Line>[] {
  const all = lines.flatMap((line) => line.ranks.map((rank) => ({ rank, line })));
  const lowest = Math.max(...all.map(({ rank }) => priorityOf(rank)));
  const turns = all
    .filter(({ rank }) => priorityOf(rank) === lowest)
    .sort((a, b) => a.rank - b.rank);
  const shares = new Map<Line, number>();
  for (let i = 0; i < limit; i += 1) {
    const turn = turns[i % turns.length];
    if (turn !== undefined) shares.set(turn.line, (shares.get(turn.line) ?? 0) + 1);
  }
  return Array.from(shares, ([line, share]) => ({ line, share, lowest }));
}

function priorityOf(rank: number): number {
  return HIGHEST - Math.floor(rank / RANKS);
}
