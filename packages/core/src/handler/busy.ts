/** What a handler has under way that must not be cut off: steps, and children that are being started. */
export class Busy {
  /** Called when something begins, and when it has ended. */
  onChange: () => void = () => {};
  #count = 0;

  get isBusy(): boolean {
    return this.#count > 0;
  }

  /** Does `work`, which is under way until it has settled. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#count += 1;
    this.onChange();
    try {
      return await work();
    } finally {
      this.#count -= 1;
      this.onChange();
    }
  }
}
