import type { Store } from '@durable-api/core';

/**
 * Sabotage: a store that has forgotten its fence. Writes of a worker that lost its lease go through,
 * and it is never told. What is tested with it must fail.
 */
export function withoutFence(store: Store): Store {
  return {
    capabilities: store.capabilities,
    migrate: () => store.migrate(),
    submit: (batch) => store.submit(batch),
    claim: (request) => store.claim(request),
    async renew(request) {
      const results = await store.renew(request);
      return results.map((result) => {
        return result.held ? result : { held: true, seq: 0, cancelRequested: false };
      });
    },
    commit: (batch) =>
      store.commit(batch.map((one) => ({ ...one, expected: { ...one.expected, lease: null } }))),
    get: (request) => store.get(request),
    events: (request) => store.events(request),
    list: (request) => store.list(request),
    watch: () => () => {},
    prune: (request) => store.prune(request),
    stats: () => store.stats(),
    close: () => store.close(),
  };
}
