import { DurableError } from '@durable-api/core';

/** Lets operations through until it is closed, and then waits for those that are inside. */
export class Gate {
  readonly #inside = new Set<Promise<unknown>>();
  #isClosed = false;

  /** What `operation` resolves to. @throws DurableError `store_unavailable` once closed */
  async pass<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new DurableError('store_unavailable', 'The store was closed.');
    const inside = operation();
    this.#inside.add(inside);
    try {
      return await inside;
    } finally {
      this.#inside.delete(inside);
    }
  }

  /** Lets nothing more in; resolves when nothing is inside any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#inside);
  }
}
