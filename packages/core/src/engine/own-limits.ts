import type { Operation } from './operation.ts';

/** Room that is kept for one operation. */
export interface HeldRoom {
  readonly room: number;
  readonly release: () => void;
}

/** The limits that operations have of their own in this process. */
export class OwnLimits {
  /** How many attempts of an operation run. */
  readonly #running: (operation: string) => number;
  readonly #reserved = new Map<string, number>();

  constructor(running: (operation: string) => number) {
    this.#running = running;
  }

  /** How many more attempts of an operation may be started. */
  roomOf({ name, options: { perProcess } }: Operation): number {
    if (perProcess === null) return Infinity;
    return Math.max(0, perProcess - this.#running(name) - (this.#reserved.get(name) ?? 0));
  }

  /** Keeps all that an operation has left. */
  holdRoom(operation: Operation): HeldRoom {
    const room = this.roomOf(operation);
    return { room, release: this.reserve(operation, room) };
  }

  /** Keeps places for attempts of an operation; returns what gives them back. */
  reserve({ name, options: { perProcess } }: Operation, count: number): () => void {
    if (perProcess === null) return () => {};
    this.#reserved.set(name, (this.#reserved.get(name) ?? 0) + count);
    let isHeld = true;
    return () => {
      if (isHeld) this.#reserved.set(name, (this.#reserved.get(name) ?? 0) - count);
      isHeld = false;
    };
  }
}
