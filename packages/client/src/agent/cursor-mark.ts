/** How far a mailbox is worked off: what is up to the mark is done, whatever is under way behind it. */
export class CursorMark {
  readonly #onChange: (mark: number) => void;
  readonly #underWay = new Set<number>();
  #last: number;
  #told: number;

  constructor(after: number, onChange: (mark: number) => void) {
    this.#last = after;
    this.#told = after;
    this.#onChange = onChange;
  }

  /** What is here is none of ours to do. */
  pass(cursor: number): void {
    this.#last = cursor;
    this.#tell();
  }

  /** What is here in the mailbox is under way. */
  begin(cursor: number): void {
    this.#underWay.add(cursor);
    this.#last = cursor;
  }

  /** It is done. */
  end(cursor: number): void {
    this.#underWay.delete(cursor);
    this.#tell();
  }

  #tell(): void {
    const mark = Math.min(this.#last, ...Array.from(this.#underWay, (cursor) => cursor - 1));
    if (mark === this.#told) return;
    this.#told = mark;
    this.#onChange(mark);
  }
}
