import type { HandlerHost } from './host.ts';

/** What an intent remembers from earlier attempts, read at the first use of it and no earlier. */
export class Journal {
  readonly #host: HandlerHost;
  #loading: Promise<ReadonlyMap<string, string>> | null = null;

  constructor(host: HandlerHost) {
    this.#host = host;
  }

  /** The notes by key, as they were when the attempt first asked. */
  notes(): Promise<ReadonlyMap<string, string>> {
    if (this.#loading !== null) return this.#loading;
    // A first attempt knows that there are none, and so costs the store no read.
    return (this.#loading = this.#host.isFresh ? Promise.resolve(new Map()) : this.#read());
  }

  async #read(): Promise<ReadonlyMap<string, string>> {
    const { notes = [] } = await this.#host.read();
    return new Map(notes.map(({ key, value }) => [key, value]));
  }
}
