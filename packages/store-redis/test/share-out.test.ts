import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shareOut } from '../src/operations/share-out.ts';

describe('what is due in several shards', () => {
  it('is shared out by age', () => {
    const lists = [
      { due: [1, 5, 9], isCut: false },
      { due: [2, 3, 4], isCut: false },
      { due: [], isCut: false },
    ];
    expect(shareOut(lists, 4)).toEqual([1, 3, 0]);
    expect(shareOut(lists, 100)).toEqual([3, 3, 0]);
  });

  it('is left out where a shard may have what is due before it', () => {
    const lists = [
      { due: [1, 2], isCut: true },
      { due: [2, 3, 4], isCut: false },
    ];
    expect(shareOut(lists, 5)).toEqual([2, 1]);
  });

  it('is always the longest due of all, and some of it whenever there is any', () => {
    const shard = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 20 });
    fc.assert(
      fc.property(
        fc.array(shard, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 10 }),
        (shards, limit, seen) => {
          const sorted = shards.map((due) => [...due].sort((a, b) => a - b));
          const lists = sorted.map((due) => ({
            due: due.slice(0, seen),
            isCut: due.length >= seen,
          }));
          const shares = shareOut(lists, limit);
          const taken = sorted.flatMap((due, i) => due.slice(0, shares[i]));
          const all = sorted.flat().sort((a, b) => a - b);
          expect(taken.sort((a, b) => a - b)).toEqual(all.slice(0, taken.length));
          expect(taken.length > 0).toBe(all.length > 0);
          if (lists.every(({ isCut }) => !isCut)) {
            expect(taken).toHaveLength(Math.min(limit, all.length));
          }
        },
      ),
    );
  });
});
