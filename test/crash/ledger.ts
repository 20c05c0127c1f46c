import { isTerminal, type WireEvent } from '@durable-api/protocol';

/** What broke, in words, with an example. */
export interface Verdict {
  readonly acknowledged: number;
  readonly observed: number;
  readonly completed: number;
  readonly violations: readonly string[];
}

/**
 * The record outside of the system under test: which submits were acknowledged, and what observers saw
 * of which intent.
 */
export class Ledger {
  readonly #acknowledged = new Map<string, string>();
  readonly #observed = new Map<string, WireEvent[]>();
  readonly #violations: string[] = [];

  /** A submit with `key` was answered with this intent. */
  acknowledge(key: string, intentId: string): void {
    const earlier = this.#acknowledged.get(key);
    if (earlier !== undefined && earlier !== intentId) this.#violate(`key ${key} made two intents`);
    this.#acknowledged.set(key, intentId);
  }

  get intentIds(): string[] {
    return [...this.#acknowledged.values()];
  }

  /** An observer that asked for what follows its last event received `event`. */
  observe(intentId: string, event: WireEvent): void {
    const seen = this.#observed.get(intentId) ?? [];
    this.#observed.set(intentId, seen);
    if (event.seq !== seen.length + 1) {
      this.#violate(`the observer of ${intentId} saw seq ${event.seq} after ${seen.length}`);
    }
    seen.push(event);
  }

  /** Compares all that was seen with what the store says in the end. */
  judge(stored: ReadonlyMap<string, readonly WireEvent[]>): Verdict {
    let completed = 0;
    for (const id of this.#acknowledged.values()) {
      const events = stored.get(id);
      if (events === undefined) this.#violate(`${id} was acknowledged and is lost`);
      else if (this.#judgeOne(id, events)) completed += 1;
    }
    return {
      acknowledged: this.#acknowledged.size,
      observed: this.#observed.size,
      completed,
      violations: this.#violations,
    };
  }

  #judgeOne(id: string, events: readonly WireEvent[]): boolean {
    if (events.some(({ seq }, i) => seq !== i + 1)) this.#violate(`${id} has a gap in its seq`);
    const ends = events.filter(({ status }) => isTerminal(status));
    const last = events.at(-1);
    if (ends.length !== 1 || ends[0] !== last) this.#violate(`${id} has ${ends.length} endings`);
    for (const [i, seen] of (this.#observed.get(id) ?? []).entries()) {
      const same = JSON.stringify(seen) === JSON.stringify(events[i]);
      if (!same) this.#violate(`${id} showed another event ${i + 1} to its observer`);
    }
    const { result } = last?.details ?? {};
    const answered =
      typeof result === 'object' && result !== null && 'attempt' in result ? result.attempt : null;
    if (last?.event_type !== 'intent.completed') return false;
    if (answered !== last.attempt) {
      this.#violate(
        `${id} was ended in attempt ${last.attempt} by the stale attempt ${String(answered)}`,
      );
    }
    return true;
  }

  #violate(what: string): void {
    this.#violations.push(what);
  }
}
