import { placeId } from '@durable-api/core';
import { describe, expect, it } from 'vitest';
import { SLOT_COUNT, slotOf } from '../src/key-slot.ts';
import { layOutShards, shardIndex } from '../src/shard-keys.ts';
import { newId } from './support/intents.ts';

describe('the slot of a hash tag', () => {
  it('is that of Redis', () => {
    // As `CLUSTER KEYSLOT` of Redis gives them.
    expect(slotOf('123456789')).toBe(12_739);
    expect(slotOf('foo')).toBe(12_182);
    expect(slotOf('')).toBe(0);
  });
});

describe('the shards of a data set', () => {
  it.for(['durable', 'a', 'orders:v2', 'größe'])(
    'have all keys of each in one slot, in a part of its own of the slots (%s)',
    (prefix) => {
      for (const count of [2, 3, 8, 16, 100]) {
        const shards = layOutShards(prefix, count);
        expect(shards).toHaveLength(count);
        for (const [i, shard] of shards.entries()) {
          const keys = [shard.ids, shard.stats, shard.intent('x'), shard.due('{a}'), shard.wakeUps];
          const tags = new Set(keys.map((key) => /\{(.*?)\}/.exec(key)?.[1] ?? ''));
          expect(tags.size).toBe(1);
          const [tag = ''] = tags;
          expect(tag.startsWith(`${prefix}:${i}`)).toBe(true);
          expect(Math.floor((slotOf(tag) * count) / SLOT_COUNT)).toBe(i);
        }
      }
    },
  );

  it('have about as many intents each, whatever their ids have in common', () => {
    const counts = Array.from({ length: 16 }, () => 0);
    for (let i = 0; i < 16_000; i += 1) {
      const index = shardIndex(newId(), 16);
      counts[index] = (counts[index] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(Math.max(...counts)).toBeLessThan(1_200);
  });

  it('are the same for all intents of one key', () => {
    const places = Array.from({ length: 20 }, () =>
      shardIndex(placeId(newId(), 'report', 'tenant-a'), 16),
    );
    expect(new Set(places).size).toBe(1);
    const keys = Array.from({ length: 400 }, (_, i) =>
      shardIndex(placeId(newId(), 'report', `tenant-${i}`), 16),
    );
    expect(new Set(keys).size).toBe(16);
  });

  it('stay those of an id for ever', () => {
    const id = '01966a5e-0001-7000-8000-18b56ad460ff';
    expect([2, 8, 16, 64].map((count) => shardIndex(id, count))).toEqual([1, 5, 13, 13]);
  });
});
