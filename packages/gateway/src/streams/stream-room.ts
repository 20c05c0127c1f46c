import type { Ledger } from '@durable-api/core';
import type { Caller } from '../access/caller.ts';
import type { KeyRing } from '../access/key-ring.ts';
import { AxpError } from '../http/errors.ts';

/** An open stream, as far as others may end it. */
export interface Visit {
  /** Ends the stream; called at most once, by whoever ends it from outside. */
  readonly end: () => void;
}

/** All open streams of the process: their number is bounded, and they end with their key and the process. */
export class StreamRoom {
  readonly #max: number;
  readonly #keys: KeyRing;
  readonly #visits = new Set<Visit>();
  readonly #byKey = new Map<string, Set<Visit>>();

  constructor(ledger: Ledger, keys: KeyRing, max: number) {
    this.#max = max;
    this.#keys = keys;
    ledger.onLeave(() => {
      for (const visit of this.#visits) visit.end();
    });
    keys.onRevoked((keyId) => {
      for (const visit of this.#byKey.get(keyId) ?? []) visit.end();
    });
  }

  get size(): number {
    return this.#visits.size;
  }

  /** @throws AxpError 429 when there are too many: what some clients take a 5xx for is the end. */
  checkRoom(): void {
    if (this.#visits.size < this.#max) return;
    const message = 'Too many streams are open here; come back later.';
    throw new AxpError(429, 'too_many_streams', message, { retryAfterSeconds: 2 });
  }

  enter({ keyId }: Caller, visit: Visit): void {
    this.#visits.add(visit);
    if (keyId === null) return;
    // It may have been revoked since its request came.
    if (!this.#keys.isActive(keyId)) visit.end();
    const others = this.#byKey.get(keyId) ?? new Set();
    this.#byKey.set(keyId, others.add(visit));
  }

  leave({ keyId }: Caller, visit: Visit): void {
    this.#visits.delete(visit);
    if (keyId === null) return;
    const others = this.#byKey.get(keyId);
    others?.delete(visit);
    if (others?.size === 0) this.#byKey.delete(keyId);
  }
}
