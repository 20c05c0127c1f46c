import type { ShardKeys } from './shard-keys.ts';

/** Numbers the due sets that a script call touches, so that each is named once among its keys. */
export class DueSets {
  readonly #shard: ShardKeys;
  readonly #numbers = new Map<string, number>();

  constructor(shard: ShardKeys) {
    this.#shard = shard;
  }

  /** The keys, in the order of their numbers. */
  get keys(): string[] {
    return [...this.#numbers.keys()].map((operation) => this.#shard.due(operation));
  }

  /** The number of an operation's due set; counts from 1. */
  numberOf(operation: string): number {
    const known = this.#numbers.get(operation);
    if (known !== undefined) return known;
    this.#numbers.set(operation, this.#numbers.size + 1);
    return this.#numbers.size;
  }
}
