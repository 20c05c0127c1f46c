import type { ChildEnd } from './child-notes.ts';
import type { ChildWait, Pause, Wait } from './pause.ts';
import type { SignalQueue } from './signal-queue.ts';

/** A sleep that ends within this is slept here, and a child waited for as long, in ms. */
export const MOMENT_MS = 1_000;

/** A pause that is over, since an instant. */
export interface Over {
  readonly pause: Pause;
  readonly at: number;
}

/** What the store had of the intent when it was last read. */
export interface Seen {
  readonly seq: number;
  readonly updatedAt: number;
  readonly signals: SignalQueue;
  readonly ends: ReadonlyMap<string, ChildEnd>;
}

/** The pauses that a handler is in, in the order in which it began them. */
export class Pending {
  readonly #pauses = new Set<Pause>();

  get size(): number {
    return this.#pauses.size;
  }

  get all(): readonly Pause[] {
    return [...this.#pauses];
  }

  add(pause: Pause): void {
    this.#pauses.add(pause);
  }

  remove(pause: Pause): void {
    this.#pauses.delete(pause);
  }

  /** Takes all of them. */
  clear(): readonly Pause[] {
    const { all } = this;
    this.#pauses.clear();
    return all;
  }

  /** Whether one of them ends by what is written of the intent. */
  get needsNotes(): boolean {
    return this.all.some(({ kind }) => kind !== 'sleep');
  }

  /** Whether a sleep is over that was not before `since`. */
  hasSlept(now: number, since: number = -Infinity): boolean {
    return this.all.some(
      (pause) => pause.kind === 'sleep' && pause.until <= now && pause.until >= since,
    );
  }

  /** The children that are waited for and have not ended, as far as is known. */
  openChildren(seen: Seen | null): readonly ChildWait[] {
    return this.all.filter(
      (pause): pause is ChildWait => pause.kind === 'child' && seen?.ends.has(pause.id) !== true,
    );
  }

  /**
   * The pauses that are over, and have been for the longest time: the handler must see them end before the
   * others, as it did in an earlier attempt, or would have. Only children can have ended together.
   */
  firstOver(now: number, seen: Seen | null): readonly Over[] {
    let first: Over[] = [];
    for (const pause of this.#pauses) {
      const at = overAt(pause, now, seen);
      if (at === null) continue;
      const earliest = first[0];
      if (earliest === undefined || at < earliest.at) first = [{ pause, at }];
      else if (at === earliest.at && pause.kind === 'child' && earliest.pause.kind === 'child')
        first.push({ pause, at });
    }
    return first;
  }

  /** When the handler need not keep its place any longer; it does until then. */
  keepsPlaceUntil(now: number, hasRoom: boolean): number {
    const ends = this.all.map((pause) => {
      if (pause.kind === 'sleep') return pause.until <= now + MOMENT_MS ? pause.until : -Infinity;
      // A child may need the place.
      return pause.kind === 'child' && hasRoom ? pause.since + MOMENT_MS : -Infinity;
    });
    return Math.max(...ends);
  }

  /** When there is something to be done, without anybody's word; Infinity for never. */
  nextAt(now: number): number {
    const instants = this.all.map((pause) => {
      if (pause.kind === 'sleep') return pause.until;
      const momentAt = pause.kind === 'child' ? pause.since + MOMENT_MS : -Infinity;
      return momentAt > now ? momentAt : Infinity;
    });
    return Math.min(...instants);
  }
}

function overAt(pause: Pause, now: number, seen: Seen | null): number | null {
  if (pause.kind === 'sleep') return pause.until <= now ? pause.until : null;
  if (seen === null) return null;
  if (pause.kind === 'child') return seen.ends.get(pause.id)?.at ?? null;
  return waitOverAt(pause, seen);
}

/** When the signal of a wait came, or when it was too late for one; null while neither is settled. */
function waitOverAt(wait: Wait, { signals, updatedAt }: Seen): number | null {
  const signal = signals.next(wait);
  if (signal !== null) return signal.at;
  // Later signals are later than what was written last: that none came in time is settled.
  return wait.until !== null && updatedAt >= wait.until ? wait.until : null;
}
