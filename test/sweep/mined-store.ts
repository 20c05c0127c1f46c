import type { Store } from '@durable-api/core';

/** The calls of a store that a process can die before, or between and its answer. */
type Mined = Pick<Store, 'submit' | 'claim' | 'commit' | 'get'>;

/** A store that passes a point before and after each call of it. */
export function minedStore(store: Store, point: () => void): Store {
  const mine =
    <Name extends keyof Mined>(name: Name) =>
    async (...args: Parameters<Store[Name]>): Promise<Awaited<ReturnType<Store[Name]>>> => {
      point();
      const answer = await Reflect.apply(store[name], store, args);
      point();
      return answer;
    };
  return {
    ...store,
    submit: mine('submit'),
    claim: mine('claim'),
    commit: mine('commit'),
    get: mine('get'),
  };
}

/** Sabotage: a store that forgets the values of steps. What is tested with it must fail. */
export function withoutSteps(store: Store): Store {
  return {
    ...store,
    commit: (batch) =>
      store.commit(
        batch.map((one) => ({
          ...one,
          notes: (one.notes ?? []).filter(({ key }) => !key.startsWith('step:')),
        })),
      ),
  };
}
