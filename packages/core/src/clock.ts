/** A timer that {@link Clock.setTimeout} started. */
export interface Timer {
  /** Stops the timer; stopping twice is harmless. */
  cancel(): void;
}

/** The only source of time and timers in the engine, so that it can be simulated. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Calls `fire` once after `delayMs`. Delays beyond 2^31 ms hold too.
   * The timer never keeps the process alive.
   */
  setTimeout(fire: () => void, delayMs: number): Timer;
}

/** `setTimeout` fires at once for a longer delay than this. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** The clock and timers of the machine. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    setTimeout(fire, delayMs) {
      if (delayMs <= MAX_DELAY_MS) {
        const only = setTimeout(fire, Math.max(0, delayMs)).unref();
        return { cancel: () => clearTimeout(only) };
      }
      let handle: NodeJS.Timeout;
      const arm = (leftMs: number): void => {
        const sliceMs = Math.min(leftMs, MAX_DELAY_MS);
        handle = setTimeout(() => (leftMs > sliceMs ? arm(leftMs - sliceMs) : fire()), sliceMs);
        handle.unref();
      };
      arm(Math.max(0, delayMs));
      return { cancel: () => clearTimeout(handle) };
    },
  };
}

/** Waits for `work` and keeps the process alive meanwhile, which no timer of a {@link Clock} does. */
export async function keepAlive<T>(work: Promise<T>): Promise<T> {
  const handle = setInterval(() => {}, MAX_DELAY_MS);
  try {
    return await work;
  } finally {
    clearInterval(handle);
  }
}
