import { isBusy } from './store-failure.ts';

/** How long to go on trying while other processes have the file, in ms. */
const PATIENCE_MS = 5_000;
/** The mean pause between two tries, in ms. */
const PAUSE_MS = 1;

/**
 * Does `work` again while it fails because another process has the file. SQLite's own busy timeout
 * sleeps longer and longer, up to 100 ms, and so may never meet the short gaps between the commits of
 * a busy neighbour. Blocks this thread, which is the worker's.
 */
export function retryWhileBusy<T>(work: () => T): T {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error;
      pause(PAUSE_MS * (0.5 + Math.random()));
    }
  }
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
