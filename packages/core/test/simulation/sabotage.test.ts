import { describe, expect, it } from 'vitest';
import type { MemoryData } from '../../src/store/memory-store.ts';
import type { CommitRequest, Store } from '../../src/store/store.ts';
import { runSeeds } from './run-seeds.ts';
import type { SimulateOptions } from './simulate.ts';
import { Violation } from './violation.ts';
import type { Sabotage } from './world.ts';

/** The most worlds until a sabotage must have been found. */
const WORLDS = 400;

/** A store that commits `change(request)` in place of each request. */
function changedCommits(
  change: (request: CommitRequest, data: MemoryData) => CommitRequest,
): Sabotage {
  return (store, data) => ({
    ...store,
    commit: (batch) => store.commit(batch.map((request) => change(request, data))),
  });
}

const recordOf = (data: MemoryData, { record }: CommitRequest): CommitRequest['record'] =>
  data.entries.get(record.id)?.record ?? record;

interface Twin {
  readonly what: string;
  /** What the violation must say. */
  readonly found: RegExp;
  readonly sabotage: Sabotage;
  readonly plan?: SimulateOptions['plan'];
}

const TWINS: readonly Twin[] = [
  {
    what: 'without the fence: the lease of a commit is ignored',
    found: /^4: .* stale lease/,
    sabotage: changedCommits((request) => ({
      ...request,
      expected: { ...request.expected, lease: null },
    })),
  },
  {
    what: 'without the guard of seq',
    found: /^5: .* gap|^3: /,
    sabotage: changedCommits((request, data) => ({
      ...request,
      expected: { ...request.expected, seq: recordOf(data, request).seq },
    })),
  },
  {
    what: 'whose claims ignore that others hold the lease',
    found: /^4: .* before it was due/,
    sabotage: (store, { live }) => ({
      ...store,
      claim: (request) => {
        for (const entry of live.values()) {
          entry.record = { ...entry.record, dueAt: Math.min(entry.record.dueAt ?? 0, request.now) };
        }
        return store.claim(request);
      },
    }),
  },
  {
    what: 'whose claims do not raise the lease',
    found: /^4: .* did not raise/,
    sabotage: (store, { entries }) => ({
      ...store,
      claim: async (request) => {
        const result = await store.claim(request);
        const claimed = result.claimed.map(({ record, input }) => {
          const same = { ...record, lease: Math.max(0, record.lease - 1) };
          const entry = entries.get(record.id);
          if (entry !== undefined) entry.record = same;
          return { record: same, input };
        });
        return { ...result, claimed };
      },
    }),
  },
  {
    what: 'that renews leases which are somebody else’s',
    found: /^4: .* not its own/,
    sabotage: (store, { live }) => ({
      ...store,
      renew: (request) => {
        const leases = request.leases.map((one) => ({
          ...one,
          lease: live.get(one.id)?.record.lease ?? one.lease,
        }));
        return store.renew({ ...request, leases });
      },
    }),
  },
  {
    what: 'that answers a submit before it is stored, and sometimes forgets it',
    found: /^[12]: /,
    sabotage: (store) => {
      let count = 0;
      return {
        ...store,
        submit: (batch) =>
          (count += 1) % 3 === 0
            ? Promise.resolve(batch.map(() => ({ outcome: 'created' as const })))
            : store.submit(batch),
      };
    },
  },
  {
    what: 'that knows no idempotency keys',
    found: /^2: /,
    sabotage: (store) => ({
      ...store,
      submit: (batch) =>
        store.submit(
          batch.map((one) => ({ ...one, record: { ...one.record, idempotency: null } })),
        ),
    }),
  },
  {
    what: 'that writes a record and only some of its events',
    found: /^5: /,
    sabotage: (store, data) => ({
      ...store,
      commit: async (batch) => {
        const results = await store.commit(batch);
        for (const [i, { record, events }] of batch.entries()) {
          const commits = data.entries.get(record.id)?.commits;
          if (results[i]?.outcome === 'ok' && events.length > 1) commits?.pop();
        }
        return results;
      },
    }),
  },
  {
    what: 'that changes events which were written',
    found: /^5: .* has changed/,
    sabotage: (store, data) => ({
      ...store,
      commit: async (batch) => {
        for (const { record } of batch) {
          const commits = data.entries.get(record.id)?.commits;
          const [first] = commits ?? [];
          if (commits && first) commits[0] = first.map((e) => ({ ...e, json: `${e.json} ` }));
        }
        return store.commit(batch);
      },
    }),
  },
  {
    what: 'that never gives back an event that comes after a page',
    found: /^6: |^8: /,
    sabotage: (store) => ({
      ...store,
      events: async ({ of, limit }) => {
        const found = await store.events({ of, limit });
        return found.map((events) => events.filter((event) => event.seq !== 3));
      },
    }),
    plan: { observerCount: 5 },
  },
  {
    what: 'that forgets what it was told to give back',
    found: /^8: |^4: |^3: /,
    sabotage: (store) => ({
      ...store,
      claim: async (request) => ({ ...(await store.claim(request)), claimed: [] }),
    }),
  },
  {
    what: 'that tells nobody what others write',
    found: /^8: |^6: /,
    sabotage: (store) => ({ ...store, watch: () => () => {} }),
    plan: { watches: true, hostCount: 3, workerCount: 1, skewsMs: [0, 0, 0], observerCount: 5 },
  },
];

describe('a store with a fault is found out', () => {
  it.each(TWINS)('$what', async ({ sabotage, plan = {}, found }) => {
    const { broken, seedCount } = await runSeeds(1, WORLDS, { sabotage, plan });
    expect(broken, `${seedCount} worlds noticed nothing`).not.toBeNull();
    expect(broken?.violation).toBeInstanceOf(Violation);
    expect(String(Object(broken?.violation).message)).toMatch(found);
  });

  it('and the same worlds hold without a fault', async () => {
    const honest = (store: Store): Store => ({ ...store });
    const { broken } = await runSeeds(1, 50, { sabotage: honest });
    expect(broken?.violation ?? null).toBeNull();
  });
});
