import { DurableError, type Store } from '@durable-api/core';

/** The calls of a store that can be broken and counted. */
export type StoreCall = 'submit' | 'claim' | 'renew' | 'commit' | 'get' | 'events';

/** How a broken store behaves. */
export type StoreFault = 'rejects' | 'hangs';

/** A store in front of a real one, that can be taken away and be waited for. */
export class StoreProbe {
  readonly store: Store;
  readonly #faults = new Map<StoreCall, StoreFault>();
  readonly #waiting: { readonly call: StoreCall; readonly resolve: () => void }[] = [];
  #healed: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(real: Store) {
    this.store = {
      capabilities: real.capabilities,
      migrate: () => real.migrate(),
      submit: (batch) => this.#pass('submit', () => real.submit(batch)),
      claim: (request) => this.#pass('claim', () => real.claim(request)),
      renew: (request) => this.#pass('renew', () => real.renew(request)),
      commit: (batch) => this.#pass('commit', () => real.commit(batch)),
      get: (request) => this.#pass('get', () => real.get(request)),
      events: (request) => this.#pass('events', () => real.events(request)),
      list: (request) => real.list(request),
      watch: (listener) => real.watch(listener),
      prune: (request) => real.prune(request),
      stats: () => real.stats(),
      close: () => real.close(),
    };
  }

  /** Takes calls away; all of them when none is named. */
  break(
    fault: StoreFault,
    calls: readonly StoreCall[] = ['submit', 'claim', 'renew', 'commit', 'get', 'events'],
  ): void {
    for (const call of calls) this.#faults.set(call, fault);
  }

  /** Everything works again; calls that hang go on. */
  heal(): void {
    this.#faults.clear();
    this.#healed.resolve();
    this.#healed = Promise.withResolvers();
  }

  /** Resolves when the next such call has ended, well or not, and what waited for it has gone on. */
  async next(call: StoreCall): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ call, resolve });
    await promise;
    await new Promise((resolve) => setImmediate(resolve));
  }

  async #pass<T>(call: StoreCall, use: () => Promise<T>): Promise<T> {
    try {
      const fault = this.#faults.get(call);
      if (fault === 'hangs') await this.#healed.promise;
      if (fault === 'rejects') {
        throw new DurableError('store_unavailable', `The store is away: ${call}. Try again later.`);
      }
      return await use();
    } finally {
      for (const waiting of this.#waiting.filter((one) => one.call === call)) {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        waiting.resolve();
      }
    }
  }
}
