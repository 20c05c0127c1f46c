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
 * Gathers the writes of a process: while batches are being committed, the next one grows. There is no
 * timer, so an idle store is written to at once and a busy one in large batches.
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
  commit(make: MakeCommit): Promise<Committed | null> {
    return this.#commits.add(make);
  }

  /** Resolves when nothing is pending any more. */
  async idle(): Promise<void> {
    await Promise.all([this.#submits.idle(), this.#commits.idle()]);
  }

  async #commit(
    makers: readonly MakeCommit[],
  ): Promise<readonly (CommitResult | null | undefined)[]> {
    const made = makers.map(attempt);
    const present = made.filter(isRequest);
    const results = present.length === 0 ? [] : await this.#store.commit(present);
    let next = 0;
    return made.map((one) => (isRequest(one) ? results[next++] : one));
  }
}

/** A change that cannot be made must not take down the others of its batch. */
function attempt(make: MakeCommit): CommitRequest | WriteFailed | null {
  try {
    return make();
  } catch (error) {
    return { outcome: 'failed', error };
  }
}

function isRequest(made: CommitRequest | WriteFailed | null): made is CommitRequest {
  return made !== null && 'record' in made;
}

type Send<Item, Result> = (
  items: readonly Item[],
) => Promise<readonly (Result | WriteFailed | undefined)[]>;

/**
 * How many batches may be under way: with a second one the store begins it the moment it is done with
 * the first, while this process is still at the first one's answers.
 */
const MAX_UNDER_WAY = 2;
/** So many writes need not wait for more of this turn: the store works on them while the rest come. */
const FULL_BATCH = 32;

/** Everything that comes while enough batches are under way is the next one. */
class Gatherer<Item, Result extends { readonly outcome: string } | null> {
  readonly #send: Send<Item, Result>;
  #pending: Pending<Item, Result>[] = [];
  #underWay = 0;
  #isDue = false;
  #isNext = false;
  #onIdle: PromiseWithResolvers<void> | null = null;

  constructor(send: Send<Item, Result>) {
    this.#send = send;
  }

  add(item: Item): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.#pending.push({ item, resolve, reject });
      if (this.#pending.length >= FULL_BATCH) this.#sendNow();
      else this.#sendSoon();
    });
  }

  async idle(): Promise<void> {
    if (this.#isIdle) return;
    await (this.#onIdle ??= Promise.withResolvers()).promise;
  }

  get #isIdle(): boolean {
    return this.#underWay === 0 && this.#pending.length === 0;
  }

  /** At the end of this turn of the event loop, so that all requests that have come go out together. */
  #sendSoon(): void {
    if (this.#isDue || this.#underWay >= MAX_UNDER_WAY) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#sendNext();
    });
  }

  /**
   * After all promise callbacks that are due, and what they call: the start of an attempt whose handler
   * ends at once goes into one commit with its end.
   */
  #sendNow(): void {
    if (this.#isNext || this.#underWay >= MAX_UNDER_WAY) return;
    this.#isNext = true;
    process.nextTick(() => {
      this.#isNext = false;
      this.#sendNext();
    });
  }

  #sendNext(): void {
    if (this.#pending.length === 0 || this.#underWay >= MAX_UNDER_WAY) return;
    const batch = this.#pending;
    this.#pending = [];
    this.#underWay += 1;
    void this.#sendBatch(batch).then(() => {
      this.#underWay -= 1;
      if (this.#pending.length > 0) this.#sendNow();
      if (!this.#isIdle) return;
      this.#onIdle?.resolve();
      this.#onIdle = null;
    });
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
