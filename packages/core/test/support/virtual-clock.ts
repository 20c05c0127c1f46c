import { setImmediate as macrotask } from 'node:timers/promises';
import type { Clock, Timer } from '../../src/clock.ts';

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
  isOver: boolean;
}

/** As many turns of the event loop as a chain of writes takes: each of them waits for the end of one. */
const TURNS = 8;

/** Resolves when no promise reaction is left to run. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await macrotask();
}

/**
 * Time that passes only when a test says so. Timers fire in the order of their instants, those of one
 * instant in the order in which they were set; after each, every promise reaction runs.
 */
export class VirtualClock implements Clock {
  readonly #heap: Entry[] = [];
  #now: number;
  #order = 0;
  #live = 0;

  constructor(startAt: number = Date.UTC(2026, 0, 1)) {
    this.#now = startAt;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#live;
  }

  now(): number {
    return this.#now;
  }

  setTimeout(fire: () => void, delayMs: number): Timer {
    const at = this.#now + (delayMs > 0 ? delayMs : 0);
    const entry: Entry = { at, order: this.#order++, fire, isOver: false };
    this.#push(entry);
    this.#live += 1;
    return {
      cancel: () => {
        if (entry.isOver) return;
        entry.isOver = true;
        this.#live -= 1;
      },
    };
  }

  /** Lets `ms` pass. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    do await settled();
    while (await this.step(until));
    this.#now = until;
  }

  /** Fires the next timer, if there is one until `until`. */
  async step(until = Infinity): Promise<boolean> {
    // What runs in the next turn of the event loop may set the only timer.
    if (this.#next() === undefined) await settled();
    const next = this.#next();
    if (next === undefined || next.at > until) return false;
    this.#pop();
    this.#now = Math.max(this.#now, next.at);
    next.isOver = true;
    this.#live -= 1;
    next.fire();
    await settled();
    return true;
  }

  /** Lets time pass until `isTrue`. @throws Error when it still is not after `withinMs`. */
  async until(isTrue: () => boolean, withinMs = 3_600_000): Promise<void> {
    const limit = this.#now + withinMs;
    await settled();
    while (!isTrue()) {
      if (!(await this.step(limit))) {
        throw new Error(`It did not happen within ${withinMs} virtual ms: ${isTrue.toString()}`);
      }
    }
  }

  /** Lets time pass until `promise` has settled, and settles like it. */
  async resolve<T>(promise: Promise<T>, withinMs?: number): Promise<T> {
    let isSettled = false;
    const mark = (): void => {
      isSettled = true;
    };
    promise.then(mark, mark);
    await this.until(() => isSettled, withinMs);
    return promise;
  }

  #next(): Entry | undefined {
    while (this.#heap[0]?.isOver === true) this.#pop();
    return this.#heap[0];
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let i = heap.push(entry) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(entry, heap[parent])) break;
      swap(heap, i, parent);
      i = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return;
    heap[0] = last;
    let i = 0;
    for (;;) {
      const left = 2 * i + 1;
      const least = isBefore(heap[left + 1], heap[left]) ? left + 1 : left;
      if (!isBefore(heap[least], heap[i])) return;
      swap(heap, i, least);
      i = least;
    }
  }
}

function isBefore(a: Entry | undefined, b: Entry | undefined): boolean {
  if (a === undefined || b === undefined) return a !== undefined;
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function swap(heap: Entry[], i: number, j: number): void {
  const [a, b] = [heap[i], heap[j]];
  if (a === undefined || b === undefined) return;
  heap[i] = b;
  heap[j] = a;
}
