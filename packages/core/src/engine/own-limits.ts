import type { Operation } from './operation.ts';

/** Room that is kept for one operation. */
export interface HeldRoom {
  readonly room: number;
  readonly release: () => void;
}

/** The limits that operations have of their own in this process. */
export class OwnLimits {
  /** How many attempts of an operation run. */
  readonly #running: (operation: Operation) => number;
  readonly #reserved = new Map<Operation, number>();

  constructor(running: (operation: Operation) => number) {
    this.#running = running;
  }

  /** How many more attempts of an operation may be started. */
  roomOf(operation: Operation): number {
    const { perProcess } = operation.options;
    if (perProcess === null) return Infinity;
    const reserved = this.#reserved.get(operation) ?? 0;
    return Math.max(0, perProcess - this.#running(operation) - reserved);
  }

  /** Keeps all that an operation has left. */
  holdRoom(operation: Operation): HeldRoom {
    const room = this.roomOf(operation);
    return { room, release: this.reserve(operation, room) };
  }

  /** Keeps places for attempts of an operation; returns what gives them back. */
  reserve(operation: Operation, count: number): () => void {
    if (operation.options.perProcess === null) return () => {};
    const add = (more: number): void => {
      this.#reserved.set(operation, (this.#reserved.get(operation) ?? 0) + more);
    };
    add(count);
    let isHeld = true;
    return () => {
      if (isHeld) add(-count);
      isHeld = false;
    };
  }
}
