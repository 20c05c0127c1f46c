import { Cron } from 'croner';

/**
 * The instants that a cron expression names, in ms since the epoch: a pure function of expression and time
 * zone, the same in every process. Where clocks go forward, a time that there is not is the first instant
 * after the gap; where they go back, a time that there is twice is the first of the two, and a pattern of
 * hours or minutes goes on through both.
 */
export class Ticks {
  readonly #cron: Cron;

  /** @throws Error that says what is wrong with the expression or the time zone. */
  constructor(cron: string, timeZone: string) {
    this.#cron = new Cron(cron, { timezone: timeZone, paused: true });
    if (this.#cron.nextRun(SOME_INSTANT) === null) throw new RangeError('it never comes.');
  }

  /** The first tick after an instant. */
  after(instant: number): number {
    const next = this.#cron.nextRun(new Date(instant));
    if (next === null) throw new RangeError(`No tick of ${this.#cron.getPattern()} is left.`);
    return next.getTime();
  }

  /** All ticks from one instant to another, both included. */
  between(from: number, to: number): number[] {
    const ticks: number[] = [];
    for (let at = this.after(from - 1); at <= to; at = this.after(at)) ticks.push(at);
    return ticks;
  }

  /** The last ticks of these, at most `count`: found without a look at all of them. */
  last(count: number, from: number, to: number): number[] {
    for (let spanMs = FIRST_SPAN_MS; ; spanMs *= 2) {
      const start = Math.max(from, to - spanMs);
      const ticks = this.between(start, to);
      if (ticks.length >= count || start === from) return ticks.slice(-count);
    }
  }
}

/** Patterns repeat, so what does not come after this instant never comes. */
const SOME_INSTANT = new Date(Date.UTC(2024, 0, 1));
const FIRST_SPAN_MS = 60_000;
