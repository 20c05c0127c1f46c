import type { StoredResponse } from '@durable-api/core';

/** How one call of a handler ends: by the first of answer, error, or the knowledge that none will come. */
export class Outcome {
  readonly promise: Promise<StoredResponse>;
  readonly #resolve: (response: StoredResponse) => void;
  readonly #reject: (error: unknown) => void;
  #settled = false;

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<StoredResponse>();
    this.promise = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get isSettled(): boolean {
    return this.#settled;
  }

  answer(response: StoredResponse): void {
    this.#settled = true;
    this.#resolve(response);
  }

  fail(error: unknown): void {
    this.#settled = true;
    this.#reject(error);
  }
}
