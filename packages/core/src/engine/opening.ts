import type { Clock, Timer } from '../clock.ts';

/** How long to wait before a store that could not be opened is tried again, in ms. */
const REOPEN_MS = 1_000;

/** What is opened, and who is told when it could not be. */
export interface OpeningSetup {
  readonly clock: Clock;
  readonly open: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** Opens something once. After a failure the next call, or the next second, tries again. */
export class Opening {
  readonly #setup: OpeningSetup;
  #opening: Promise<void> | null = null;
  #retry: Timer | null = null;
  #isOpen = false;
  #isOver = false;

  constructor(setup: OpeningSetup) {
    this.#setup = setup;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Rejects with the reason why it could not be opened. */
  ready(): Promise<void> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** Opens in the next tick, unless that is under way. */
  begin(): void {
    if (this.#opening === null) setImmediate(() => this.#tryAgain());
  }

  /** Ends trying again. */
  stop(): void {
    this.#isOver = true;
    this.#retry?.cancel();
  }

  async #open(): Promise<void> {
    try {
      await this.#setup.open();
      this.#isOpen = true;
    } catch (error) {
      this.#opening = null;
      this.#retry ??= this.#setup.clock.setTimeout(() => {
        this.#retry = null;
        this.#tryAgain();
      }, REOPEN_MS);
      throw error;
    }
  }

  #tryAgain(): void {
    if (!this.#isOver) this.ready().catch(this.#setup.onError);
  }
}
