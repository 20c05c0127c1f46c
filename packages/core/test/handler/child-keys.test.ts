import { expect, it } from 'vitest';
import { placeId } from '../../src/state/place-id.ts';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import { aroundStore } from '../support/around-store.ts';
import type { Bed } from '../support/bed.ts';
import { childrenOf, familyOf, recordOf, work, type Children } from '../support/family.ts';
import { resultOf } from '../support/handled.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const options = { concurrency: { perKey: 1 } };

it('a child goes by the key that it is started with', async () => {
  const running = new Set<unknown>();
  const seen: unknown[][] = [];
  const page: Children = {
    page: {
      options,
      run: async (body) => {
        running.add(body);
        seen.push([...running]);
        await work(() => bed, 1_000);
        running.delete(body);
        return body;
      },
    },
  };
  const bed: Bed = familyOf(async ({ start }) => {
    const keys = ['a', 'a', 'b'];
    const all = keys.map((key, i) => start('page', `${key}${i}`, { key }));
    return Promise.all((await Promise.all(all)).map((child) => child.result()));
  }, page);
  const id = await bed.submit();
  await bed.clock.until(() => recordOf(bed, id).status === 'COMPLETED', 60_000);
  expect(await resultOf(bed, id)).toEqual(['a0', 'a1', 'b2']);
  expect(seen.some((each) => each.includes('a0') && each.includes('a1'))).toBe(false);
  expect(seen.some((each) => each.length === 2)).toBe(true);
  expect(childrenOf(bed, id).map(({ key }) => key)).toEqual(['a', 'a', 'b']);
});

it('a child keeps the key of the first attempt, of which its id has its place', async () => {
  const [clock, data] = [new VirtualClock(), memoryData()];
  let isDead = false;
  const store = aroundStore(memoryStore(data), (method, call) => {
    // It dies after the child was noted, and before it is stored.
    if (method === 'submit' && data.entries.size === 1) isDead = true;
    return isDead ? new Promise(() => {}) : call();
  });
  const familyWith = (key: string, given: object): Bed =>
    familyOf(
      async ({ start }) => (await start('page', null, { key, name: 'the one' })).result(),
      { page: { options, run: async () => key } },
      { clock, data, ...given },
    );
  const first = familyWith('a', { store });
  const id = await first.submit();
  await clock.until(() => isDead);
  const second = familyWith('b', {});
  await clock.until(() => recordOf(second, id).status === 'COMPLETED', 120_000);
  const [child] = childrenOf(second, id);
  expect(child?.key).toBe('a');
  expect(placeId(child?.id ?? '', 'page', 'a')).toBe(child?.id);
});

it('what is no key is refused', async () => {
  const bed = familyOf(async ({ start }) => start('page', null, { key: '' }), {
    page: { options, run: async () => null },
  });
  const id = await bed.submit();
  await bed.clock.until(() => recordOf(bed, id).status === 'FAILED');
  expect(recordOf(bed, id).error).toMatchObject({ code: 'start_invalid' });
});
