import { statSync, utimesSync, watch, type FSWatcher } from 'node:fs';

/** How soon after a look the next one may follow, in ms. */
const INTERVAL_MS = 5;
/** How often the file is looked at in case the system lost a notification, in ms. */
const STAT_INTERVAL_MS = 5_000;

/**
 * Calls `look` soon after anybody has written to the write-ahead log: by the file system's own
 * notifications, so that nothing is asked of the database while nothing happens. The writes themselves
 * come too early, since others see a commit only after its fsync; so each store touches the log then.
 */
export class WalWatch {
  readonly #file: string;
  readonly #look: () => void;
  readonly #statTimer: NodeJS.Timeout;
  #watcher: FSWatcher | null = null;
  #timer: NodeJS.Timeout | null = null;
  #touching: NodeJS.Immediate | null = null;
  #lookedAt = -Infinity;
  #seen = '';

  /** @param path The path of the database file. */
  constructor(path: string, look: () => void) {
    this.#file = `${path}-wal`;
    this.#look = look;
    this.#listen();
    this.#statTimer = setInterval(() => this.#stat(), STAT_INTERVAL_MS);
  }

  /**
   * Tells the other processes that what this one has written can be read now; in the next turn of the
   * event loop, since the answer to who wrote it does not wait for that.
   */
  touch(): void {
    this.#touching ??= setImmediate(() => this.#touchNow());
  }

  #touchNow(): void {
    this.#touching = null;
    const now = new Date();
    try {
      utimesSync(this.#file, now, now);
    } catch {
      // They will see it at their next regular look.
    }
  }

  close(): void {
    if (this.#touching !== null) {
      clearImmediate(this.#touching);
      this.#touchNow();
    }
    this.#watcher?.close();
    clearInterval(this.#statTimer);
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #listen(): void {
    try {
      this.#watcher = watch(this.#file, { persistent: false }, () => this.#notice());
      // Without notifications the regular look at the file's time is what is left.
      this.#watcher.on('error', () => (this.#watcher = null));
    } catch {
      this.#watcher = null;
    }
  }

  #notice(): void {
    if (this.#timer !== null) return;
    const waitMs = Math.max(0, this.#lookedAt + INTERVAL_MS - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#lookedAt = performance.now();
      this.#look();
    }, waitMs);
  }

  #stat(): void {
    const stats = statSync(this.#file, { throwIfNoEntry: false });
    const seen = `${stats?.ino} ${stats?.mtimeMs} ${stats?.size}`;
    if (seen === this.#seen) return;
    this.#seen = seen;
    this.#notice();
    if (this.#watcher === null) this.#listen();
  }
}
