import { progressSchema, type Progress } from '@durable-api/protocol';
import type { Clock, Timer } from '../clock.ts';

/** The shortest time between two stored reports of one attempt, in ms. */
const INTERVAL_MS = 100;

/** Normalises what a handler reports. @throws RangeError when it is malformed or too large. */
export function parseProgress(report: number | Progress, maxBytes: number): Progress {
  const given = typeof report === 'number' ? { fraction: report } : report;
  const parsed = progressSchema.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue === undefined ? '' : `: ${issue.path.join('.')} ${issue.message}`;
    throw new RangeError(
      `progress() takes a fraction from 0 to 1, or { fraction, current, total, message }${where}.`,
    );
  }
  const progress = parsed.data;
  const { current, total } = progress;
  if (
    progress.fraction === undefined &&
    current !== undefined &&
    total !== undefined &&
    total > 0
  ) {
    progress.fraction = Math.min(1, Math.max(0, current / total));
  }
  if (Buffer.byteLength(JSON.stringify(progress)) > maxBytes) {
    throw new RangeError(`progress() takes at most ${maxBytes} bytes.`);
  }
  return progress;
}

/** Passes on the first report at once and then at most one every 100 ms; the last one always. */
export class ProgressReporter {
  readonly #clock: Clock;
  readonly #store: (progress: Progress) => void;
  #waiting: Progress | null = null;
  #timer: Timer | null = null;

  constructor(clock: Clock, store: (progress: Progress) => void) {
    this.#clock = clock;
    this.#store = store;
  }

  report(progress: Progress): void {
    if (this.#timer !== null) {
      this.#waiting = progress;
      return;
    }
    this.#store(progress);
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = null;
      this.flush();
    }, INTERVAL_MS);
  }

  /** Stores what is held back. */
  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null) this.report(waiting);
  }

  /** Stores what is held back and ends; later reports are ignored by the state machine. */
  end(): void {
    const waiting = this.#waiting;
    this.drop();
    if (waiting !== null) this.#store(waiting);
  }

  /** Ends without storing what is held back. */
  drop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#waiting = null;
  }
}
