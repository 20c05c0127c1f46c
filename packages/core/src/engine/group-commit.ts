import type {
  CommitRequest,
  CommitResult,
  Store,
  SubmitRequest,
  SubmitResult,
  WriteFailed,
} from '../store/store.ts';

/** What became of a submit that did not fail. */
export type Submitted = Exclude<SubmitResult, WriteFailed>;

/** What became of a commit that did not fail. */
export type Committed = Exclude<CommitResult, WriteFailed>;

/** Makes the next commit of an intent at the moment its batch is sent; null when there is none. */
export type MakeCommit = () => CommitRequest | null;

interface Pending<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers the writes of a process: while one batch is being committed, the next one grows. There is
 * no timer, so an idle store is written to at once and a busy one in large batches.
 */
export class GroupCommit {
  readonly #store: Store;
  readonly #submits: Gatherer<SubmitRequest, Submitted>;
  readonly #commits: Gatherer<MakeCommit, Committed | null>;

  constructor(store: Store) {
    this.#store = store;
    this.#submits = new Gatherer((batch) => this.#store.submit(batch));
    this.#commits = new Gatherer((makers) => this.#commit(makers));
  }

  /** Resolves when the submit is stored. Rejects with the store's error; the outcome is then unknown. */
  submit(request: SubmitRequest): Promise<Submitted> {
    return this.#submits.add(request);
  }

  /**
   * Resolves to the outcome, or null when there was nothing to commit after all. Rejects with the
   * store's error; the outcome is then unknown.
   */
  async commit(make: MakeCommit): Promise<Committed | null> {
    const errors: unknown[] = [];
    const result = await this.#commits.add(() => {
      try {
        return make();
      } catch (error) {
        // A change that cannot be made must not take down the others of its batch.
        errors.push(error);
        return null;
      }
    });
    if (errors.length > 0) throw errors[0];
    return result;
  }

  /** Resolves when nothing is pending any more. */
  async idle(): Promise<void> {
    await Promise.all([this.#submits.idle(), this.#commits.idle()]);
  }

  async #commit(
    makers: readonly MakeCommit[],
  ): Promise<readonly (CommitResult | null | undefined)[]> {
    const requests = makers.map((make) => make());
    const present = requests.filter((request) => request !== null);
    const results = present.length === 0 ? [] : await this.#store.commit(present);
    let next = 0;
    return requests.map((request) => (request === null ? null : results[next++]));
  }
}

type Send<Item, Result> = (
  items: readonly Item[],
) => Promise<readonly (Result | WriteFailed | undefined)[]>;

/** One batch under way at a time; everything that comes meanwhile is the next one. */
class Gatherer<Item, Result extends { readonly outcome: string } | null> {
  readonly #send: Send<Item, Result>;
  #pending: Pending<Item, Result>[] = [];
  #sending: Promise<void> | null = null;

  constructor(send: Send<Item, Result>) {
    this.#send = send;
  }

  add(item: Item): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.#pending.push({ item, resolve, reject });
      this.#sending ??= this.#drain();
    });
  }

  async idle(): Promise<void> {
    while (this.#sending !== null) await this.#sending;
  }

  async #drain(): Promise<void> {
    // One turn of the microtask loop, so that what one tick adds goes out together.
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      await this.#sendBatch(batch);
    }
    this.#sending = null;
  }

  async #sendBatch(batch: readonly Pending<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#send(batch.map((pending) => pending.item));
      for (const [i, pending] of batch.entries()) {
        const result = results[i];
        if (result === undefined) pending.reject(new Error('The store left out a result.'));
        else if (isFailed(result)) pending.reject(result.error);
        else pending.resolve(result);
      }
    } catch (error) {
      for (const pending of batch) pending.reject(error);
    }
  }
}

function isFailed(result: { readonly outcome: string } | null): result is WriteFailed {
  return result?.outcome === 'failed';
}
