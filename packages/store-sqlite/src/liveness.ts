import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { isBusy } from './store-failure.ts';

/**
 * Tells which holders of leases are alive. Each holder has a file beside the database, locked by its
 * process; the kernel drops the lock when the process ends, however it ends. This needs no process ids,
 * so it holds across containers that share the file.
 */
export class Liveness {
  readonly #path: string;
  readonly #own = new Map<string, DatabaseSync>();

  /** @param path The path of the database file. */
  constructor(path: string) {
    this.#path = path;
  }

  /** The holders that live in this store. */
  get own(): ReadonlySet<string> {
    return new Set(this.#own.keys());
  }

  isOwn(holder: string): boolean {
    return this.#own.has(holder);
  }

  /** Shows that a holder of this store is alive; must be called before others can read of it. */
  announce(holder: string): void {
    if (this.#own.has(holder)) return;
    const db = new DatabaseSync(this.#fileOf(holder));
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    this.#own.set(holder, db);
  }

  /** Whether a holder is dead for certain. */
  isDead(holder: string): boolean {
    if (this.#own.has(holder)) return false;
    const file = this.#fileOf(holder);
    if (!existsSync(file)) return true;
    const db = new DatabaseSync(file, { timeout: 0 });
    try {
      db.exec('BEGIN EXCLUSIVE; ROLLBACK');
      return true;
    } catch (error) {
      if (isBusy(error)) return false;
      throw error;
    } finally {
      db.close();
    }
  }

  /** Removes what a dead holder left. */
  forget(holder: string): void {
    rmSync(this.#fileOf(holder), { force: true });
  }

  /** Ends all holders of this store. */
  close(): void {
    for (const [holder, db] of this.#own) {
      db.close();
      this.forget(holder);
    }
    this.#own.clear();
  }

  #fileOf(holder: string): string {
    // A holder's name is the engine's to choose: it may be long, or have a slash.
    const name = createHash('sha256').update(holder).digest('base64url').slice(0, 22);
    return `${this.#path}-live-${name}`;
  }
}
