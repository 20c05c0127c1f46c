import type { Store, StoreCapabilities } from '../../src/store/store.ts';

/** The methods of a store that can fail, be slow or be counted. */
export type StoreMethod = Exclude<keyof Store, 'capabilities' | 'watch'>;

/** Called in place of each call of a store; `call` makes the call itself. */
export type Around = <T>(
  method: StoreMethod,
  call: () => Promise<T>,
  request: unknown,
) => Promise<T>;

/** `store` with something around each of its calls. */
export function aroundStore(
  store: Store,
  around: Around,
  capabilities: Partial<StoreCapabilities> = {},
): Store {
  return {
    capabilities: { ...store.capabilities, ...capabilities },
    migrate: () => around('migrate', () => store.migrate(), undefined),
    submit: (batch) => around('submit', () => store.submit(batch), batch),
    claim: (request) => around('claim', () => store.claim(request), request),
    renew: (request) => around('renew', () => store.renew(request), request),
    commit: (batch) => around('commit', () => store.commit(batch), batch),
    get: (request) => around('get', () => store.get(request), request),
    events: (request) => around('events', () => store.events(request), request),
    list: (request) => around('list', () => store.list(request), request),
    watch: (listener) => store.watch(listener),
    prune: (request) => around('prune', () => store.prune(request), request),
    stats: () => around('stats', () => store.stats(), undefined),
    close: () => around('close', () => store.close(), undefined),
  };
}
