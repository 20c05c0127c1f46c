import { describe, expect, it } from 'vitest';
import { memoryData, memoryStore } from '../../src/store/memory-store.ts';
import type { MemoryData } from '../../src/store/memory-store.ts';
import { aborted, jsonOf, type Bed, type BedOptions } from '../support/bed.ts';
import { childrenOf, familyOf, recordOf, work } from '../support/family.ts';
import type { Children, ChildBody } from '../support/family.ts';
import { detailsOf, resultOf, type Body } from '../support/handled.ts';
import { mortalStore, type Fate } from '../support/mortal-store.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const MINUTE_MS = 60_000;

/** Two processes on one store, of which the first has a fate. */
function twoProcesses(
  parent: Body,
  children: (bed: () => Bed) => Children,
  fate: Fate,
  common: BedOptions = {},
) {
  const [data, clock] = [memoryData(), new VirtualClock()];
  const open = (options: BedOptions): Bed => {
    const bed: Bed = familyOf(
      parent,
      children(() => bed),
      { data, clock, ...common, ...options },
    );
    return bed;
  };
  const store = mortalStore(memoryStore(data), fate);
  const first = open({ store });
  return { first, second: () => open({}), die: () => store.die(), data, clock };
}

const idOf = (data: MemoryData, operation: string): string => {
  const found = [...data.entries.values()].find(({ record }) => record.operation === operation);
  return found?.record.id ?? '';
};

const quick: ChildBody = async (n) => Number(n) + 1;
const stuck: ChildBody = (_, { signal }) => aborted(signal);
const waiting: ChildBody = (_, { waitFor }) => waitFor('never');

describe('a process that dies', () => {
  const parent: Body = async ({ start }) => (await start<number>('quick', 1)).result();
  const notedBy = (key: RegExp, when: 'before' | 'after'): Fate => {
    return ({ method, request }) => {
      if (method !== 'commit') return null;
      return request.notes?.some((note) => key.test(note.key)) === true ? when : null;
    };
  };
  const fates: readonly [string, Fate][] = [
    ['before it has noted the child', notedBy(/^child:/, 'before')],
    ['between its note and the submit of the child', notedBy(/^child:/, 'after')],
    [
      'at the submit of the child',
      ({ method, request }) =>
        method === 'submit' && request.record.operation === 'quick' ? 'after' : null,
    ],
    [
      'at the end of the child',
      ({ method, request }) =>
        method === 'commit' && request.record.operation === 'quick' && request.result !== undefined
          ? 'after'
          : null,
    ],
    ['before it has told the parent of that', notedBy(/^ended:/, 'before')],
    ['after it has told the parent of that', notedBy(/^ended:/, 'after')],
  ];
  it.each(fates)(
    '%s, leaves it to be started once, and its result to be heard',
    async (_, fate) => {
      const { first, second, data, clock } = twoProcesses(parent, () => ({ quick }), fate);
      const id = await first.submit();
      await clock.advance(10);
      const bed = second();
      await clock.until(() => recordOf(bed, id).dueAt === null, MINUTE_MS);
      expect(await resultOf(bed, id)).toBe(2);
      expect(childrenOf(bed, id)).toHaveLength(1);
      expect(data.entries.size).toBe(2);
      expect(detailsOf(bed, id, 'child_ended')).toHaveLength(1);
    },
  );

  it('leaves a parent that was suspended and is never told, which finds out by itself', async () => {
    const { first, second, clock, data } = twoProcesses(
      async ({ start, attempt }) => [await (await start('slow')).result(), attempt],
      (bed) => ({ slow: async () => work(bed, 10 * MINUTE_MS).then(() => 'slow') }),
      notedBy(/^ended:/, 'before'),
    );
    const id = await first.submit();
    await clock.advance(10 * MINUTE_MS - 1_000);
    expect((await first.snapshot(id)).status).toBe('WAITING');
    await clock.advance(2_000);
    expect(data.entries.get(idOf(data, 'slow'))?.record.status).toBe('COMPLETED');
    const bed = second();
    // At most as long again as it has waited.
    await clock.until(() => recordOf(bed, id).dueAt === null, 10 * MINUTE_MS);
    expect(await resultOf(bed, id)).toEqual(['slow', 2]);
    // Looks are few, however long it takes.
    expect(detailsOf(bed, id, 'waiting').length).toBeLessThan(10);
  });

  it('between the end of the wait and the cancel of children leaves that to another one', async () => {
    const { first, second, clock, data } = twoProcesses(
      async ({ start }) => {
        for (const child of ['stuck', 'waiting']) await start(child);
        return (await start('waiting', 2)).result();
      },
      () => ({ stuck, waiting }),
      ({ method, request }) =>
        method === 'commit' && request.record.cancelRequestedAt !== null ? 'after' : null,
    );
    const id = await first.submit();
    await clock.advance(10_000);
    expect((await first.snapshot(id)).status).toBe('WAITING');
    void first.handle('DELETE', `/${id}`).catch(() => {});
    await clock.advance(100);
    expect(recordOf(first, id).cancelRequestedAt).not.toBeNull();
    expect(childrenOf(first, id).some(({ cancelRequestedAt }) => cancelRequestedAt !== null)).toBe(
      false,
    );
    second();
    await clock.until(() => [...data.entries.values()].every((e) => e.record.dueAt === null));
    const statuses = [...data.entries.values()].map(({ record }) => record.status);
    expect(statuses).toEqual(['CANCELED', 'CANCELED', 'CANCELED', 'CANCELED']);
  });
});

describe('a cancel of a parent', () => {
  it('is one of its children, and of theirs, whatever they do', async () => {
    const bed: Bed = familyOf(
      async ({ start }) => {
        const [child] = await Promise.all([start('middle'), start('stuck'), start('waiting')]);
        return child.result();
      },
      {
        stuck,
        waiting,
        middle: async (_, { start }) => {
          await Promise.all([start('stuck'), start('waiting')]);
          return (await start('waiting')).result();
        },
      },
    );
    const id = await bed.submit();
    await bed.clock.advance(5_000);
    expect(bed.data.entries.size).toBe(7);
    const reply = await bed.handle('DELETE', `/${id}`);
    expect({ status: reply.status, json: jsonOf(reply) }).toMatchObject({
      status: 200,
      json: { status: 'CANCELED' },
    });
    await bed.clock.advance(100);
    for (const { record } of bed.data.entries.values()) expect(record.status).toBe('CANCELED');
    expect(bed.eventTypes(id)).toContain('cancel_requested');
    expect(bed.eventTypes(id).at(-1)).toBe('canceled');
  });

  it('that still runs ends it when its handler has stopped', async () => {
    const bed: Bed = familyOf(
      async ({ start, signal }) => {
        await start('stuck');
        await start('waiting');
        await aborted(signal);
      },
      { stuck, waiting },
    );
    const id = await bed.submit();
    await bed.clock.advance(100);
    expect((await bed.handle('DELETE', `/${id}`)).status).toBe(202);
    await bed.clock.advance(100);
    for (const { record } of bed.data.entries.values()) expect(record.status).toBe('CANCELED');
  });

  it('that completes at the same time is one of its children all the same', async () => {
    const gate = Promise.withResolvers<void>();
    const bed: Bed = familyOf(
      async ({ start }) => {
        await start('stuck');
        await gate.promise;
        return 'done';
      },
      { stuck },
    );
    const id = await bed.submit();
    await bed.clock.advance(100);
    const reply = bed.handle('DELETE', `/${id}`);
    gate.resolve();
    await bed.clock.resolve(reply);
    await bed.clock.advance(100);
    const { status } = recordOf(bed, id);
    expect(childrenOf(bed, id)[0]?.status).toBe(
      status === 'COMPLETED' ? 'IN_PROGRESS' : 'CANCELED',
    );
  });

  it('finds a child that its handler has noted and not stored yet', async () => {
    const data = memoryData();
    let isHeld = true;
    const held: (() => void)[] = [];
    const store = memoryStore(data);
    const clock = new VirtualClock();
    const bed: Bed = familyOf(
      async ({ start }) => (await start('stuck')).result(),
      { stuck },
      {
        data,
        clock,
        leaseMs: 600_000,
        store: {
          ...store,
          submit: async (batch, transaction) => {
            const isChild = batch.some(({ record }) => record.operation === 'stuck');
            const isNever = batch.some(({ record }) => Number(record.dueAt) > clock.now() + 1e12);
            if (isChild && isHeld && !isNever) await new Promise<void>((go) => held.push(go));
            return store.submit(batch, transaction);
          },
        },
      },
    );
    const id = await bed.submit();
    await clock.advance(100);
    expect(childrenOf(bed, id)).toEqual([]);
    expect((await bed.handle('DELETE', `/${id}`)).status).toBe(202);
    await clock.until(() => recordOf(bed, id).dueAt === null, MINUTE_MS);
    expect(childrenOf(bed, id)).toMatchObject([{ status: 'CANCELED', attempt: 0 }]);
    isHeld = false;
    for (const go of held) go();
    await clock.advance(MINUTE_MS);
    expect(childrenOf(bed, id)).toMatchObject([{ status: 'CANCELED', attempt: 0 }]);
  });
});

describe('children of a parent that ends badly', () => {
  const running = { stuck, waiting };
  const start: Body = async (context) => {
    await Promise.all([context.start('stuck'), context.start('waiting')]);
  };
  const cases: readonly [string, Body, BedOptions, string][] = [
    [
      'FAILED',
      async (context) => {
        await start(context);
        throw new Error('It broke.');
      },
      { operation: { retries: 1 } },
      'FAILED',
    ],
    [
      'TIMED_OUT',
      async (context) => {
        await start(context);
        await aborted(context.signal);
      },
      { operation: { deadlineMs: 30_000 } },
      'TIMED_OUT',
    ],
    [
      'TIMED_OUT while it waits',
      async (context) => {
        await start(context);
        await context.sleep(10 * MINUTE_MS);
      },
      { operation: { deadlineMs: 30_000 } },
      'TIMED_OUT',
    ],
  ];
  it.each(cases)('are canceled when it %s', async (_, body, options, status) => {
    const bed = familyOf(body, running, options);
    const id = await bed.submit();
    await bed.clock.advance(5 * MINUTE_MS);
    expect(recordOf(bed, id).status).toBe(status);
    const children = childrenOf(bed, id);
    expect(children.map((child) => child.status)).toEqual(['CANCELED', 'CANCELED']);
    // Before their parent, so that nobody who dies in between leaves them behind.
    const [canceledAt, endedAt] = [children[0]?.cancelRequestedAt, recordOf(bed, id).updatedAt];
    expect(Number(canceledAt)).toBeLessThanOrEqual(endedAt);
  });

  it('go on while it is tried again', async () => {
    const bed: Bed = familyOf(
      async ({ start: begin, attempt }) => {
        const child = await begin('slow');
        if (attempt === 1) throw new Error('Not now.');
        return child.result();
      },
      { slow: async () => work(() => bed, 30_000).then(() => 'slow') },
    );
    const id = await bed.submit();
    await bed.clock.advance(MINUTE_MS);
    expect(await resultOf(bed, id)).toBe('slow');
  });
});

describe('a child that was removed', () => {
  const gone: Body = async ({ start, sleep }) => {
    const child = await start('quick', 1);
    await sleep(10 * 86_400_000);
    return child.result();
  };

  it('after its parent was told has its result all the same', async () => {
    const bed = familyOf(gone, { quick }, { operation: { deadlineMs: null } });
    const id = await bed.submit();
    await bed.clock.advance(1_000);
    bed.data.entries.delete(idOf(bed.data, 'quick'));
    await bed.clock.advance(11 * 86_400_000);
    expect(await resultOf(bed, id)).toBe(2);
    expect(childrenOf(bed, id)).toEqual([]);
  });

  it('before that is not started again, and said to be gone', async () => {
    const { first, second, clock, data } = twoProcesses(
      async (context) => gone(context).catch((error: { code: string }) => error.code),
      () => ({ quick }),
      ({ method, request }) => {
        const isTold =
          method === 'commit' && request.notes?.some(({ key }) => key.startsWith('ended:'));
        return isTold === true ? 'before' : null;
      },
      { operation: { deadlineMs: null } },
    );
    const id = await first.submit();
    await clock.advance(10);
    data.entries.delete(idOf(data, 'quick'));
    await clock.advance(11 * 86_400_000);
    const bed = second();
    await clock.advance(11 * 86_400_000);
    expect(await resultOf(bed, id)).toBe('child_gone');
    expect(childrenOf(bed, id)).toEqual([]);
  });
});
