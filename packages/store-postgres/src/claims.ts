import type { ClaimRequest, ClaimResult } from '@durable-api/core';
import { claimKeyed } from './claim-keyed.ts';
import type { Database } from './database.ts';
import { claim } from './lease.ts';

/** The claims of one store. */
export class Claims {
  readonly #database: Database;
  /** The operations whose lanes this store has looked at, by limits that do not change any more. */
  readonly #known = new Set<string>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Takes leases: see `Store.claim`. */
  async claim(request: ClaimRequest): Promise<ClaimResult> {
    const { keyed = [], limit } = request;
    if (keyed.length === 0) return claim(this.#database, request);
    const turns = await this.#claimKeyed(request);
    const left = limit - turns.claimed.length;
    if (request.operations.length === 0 || left === 0) return turns;
    const others = await claim(this.#database, { ...request, limit: left });
    const next = Math.min(turns.nextDueAt ?? Infinity, others.nextDueAt ?? Infinity);
    return {
      ...turns,
      claimed: [...turns.claimed, ...others.claimed],
      nextDueAt: next === Infinity ? null : next,
    };
  }

  async #claimKeyed(request: ClaimRequest): Promise<ClaimResult> {
    const names = (request.keyed ?? []).map(({ operation }) => operation);
    const isFirst = names.some((name) => !this.#known.has(name));
    const result = await claimKeyed(this.#database, request, isFirst);
    for (const name of names) this.#known.add(name);
    return result;
  }
}
