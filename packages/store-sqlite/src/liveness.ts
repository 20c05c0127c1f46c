import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { retryWhileBusy } from './busy.ts';
import { isBusy } from './store-failure.ts';

/** The age from which a file that nobody has entered in the table of holders is litter, in ms. */
const LITTER_AGE_MS = 3_600_000;

/**
 * Shows that this store is alive, and sees whether others are. Each store has a file beside the database,
 * locked by its process; the kernel drops the lock when the process ends, however it ends. This needs no
 * process ids, so it holds across containers that share the file.
 */
export class Liveness {
  readonly #path: string;
  /** The name of this store's file. */
  readonly file: string;
  #locked: DatabaseSync | null = null;

  /** @param path The path of the database file. */
  constructor(path: string) {
    this.#path = path;
    this.file = `${basename(path)}-live-${randomBytes(9).toString('hex')}`;
  }

  /** Makes and locks this store's file; must come before anybody can look for it. */
  show(): void {
    if (this.#locked !== null) return;
    const db = new DatabaseSync(this.#pathOf(this.file));
    try {
      retryWhileBusy(() => db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE'));
      this.#locked = db;
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /** Whether the store with this file is dead for certain. */
  isDead(file: string): boolean {
    if (file === this.file) return false;
    const path = this.#pathOf(file);
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return true;
    const db = new DatabaseSync(path, { timeout: 0 });
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

  /** Removes the file of a dead store. */
  forget(file: string): void {
    rmSync(this.#pathOf(file), { force: true });
  }

  /** Removes old files of dead stores that are not among `known`. */
  sweep(known: ReadonlySet<string>): void {
    const prefix = `${basename(this.#path)}-live-`;
    for (const file of readdirSync(dirname(this.#path))) {
      if (!file.startsWith(prefix) || known.has(file)) continue;
      const stats = statSync(this.#pathOf(file), { throwIfNoEntry: false });
      const isOld = stats !== undefined && Date.now() - stats.mtimeMs > LITTER_AGE_MS;
      if (isOld && this.isDead(file)) this.forget(file);
    }
  }

  /** Unlocks and removes this store's file. */
  close(): void {
    if (this.#locked === null) return;
    this.#locked.close();
    this.#locked = null;
    this.forget(this.file);
  }

  #pathOf(file: string): string {
    return join(dirname(this.#path), file);
  }
}
