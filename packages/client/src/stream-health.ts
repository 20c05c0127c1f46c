/** So many streams in a row that bring nothing raise the suspicion that only streams are blocked. */
const STRIKES = 4;
/** So many polls must succeed where streams failed before streams are given up. */
const PROOFS = 2;

/** Decides between streaming and polling by what streams and polls have brought so far. */
export class StreamHealth {
  #strikes = 0;
  #proofs = 0;

  constructor(isBlocked: boolean) {
    if (isBlocked) this.#proofs = PROOFS;
  }

  /** Whether streams do not get through here, so that only polling is left. */
  get isBlocked(): boolean {
    return this.#proofs >= PROOFS;
  }

  /** Whether the next look shall be a poll. */
  get wantsPoll(): boolean {
    return this.isBlocked || this.#strikes >= STRIKES;
  }

  /** A stream has brought bytes. */
  flowed(): void {
    this.#strikes = 0;
    this.#proofs = 0;
  }

  /** A stream was answered with something else, or with nothing before its time was up. */
  refused(): void {
    this.#strikes = STRIKES;
  }

  /** The connection for a stream could not be made. */
  failed(): void {
    this.#strikes += 1;
  }

  /** A poll succeeded. */
  polled(): void {
    this.#proofs += 1;
    this.#strikes = STRIKES - 1;
  }

  /** A poll failed as well, so it is not about streams. */
  pollFailed(): void {
    this.#strikes = 0;
  }
}
