import { randomInt } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Answer, Call, WorkerMessage } from './channel.ts';
import { checkFileSystem, identityOf } from './file-system.ts';
import { prepareForeignChanges, type ForeignChanges } from './foreign-changes.ts';
import { Holders } from './holders.ts';
import { LeaseGuard } from './lease-guard.ts';
import { Liveness } from './liveness.ts';
import { openDatabase } from './open-database.ts';
import { prepareOperations, type Operations } from './operations/operations.ts';
import { leasesOf } from './packed-writes.ts';
import { StoreFailure } from './store-failure.ts';
import { prepareTransactions, type Transactions } from './transaction.ts';
import { WalWatch } from './wal-watch.ts';

/** The shortest lease that is kept alive for a blocked main thread, in ms. */
const MIN_GUARDED_MS = 100;

const MOVED =
  'The SQLite file was removed or replaced while it was open. It is opened anew; restore it from a backup ' +
  'if that was not meant.';

/** An open database with all that belongs to it, in the worker thread. */
export class DatabaseSession {
  readonly #path: string;
  readonly #identity: string;
  readonly #db: DatabaseSync;
  readonly #tell: (message: WorkerMessage) => void;
  readonly #transactions: Transactions;
  readonly #operations: Operations;
  readonly #holders: Holders;
  readonly #guard: LeaseGuard;
  readonly #walWatch: WalWatch;
  readonly #foreignChanges: () => ForeignChanges | null;
  /** How far the caller's clock is ahead of this thread's, in ms; they differ in simulations. */
  #clockAheadMs = 0;

  /** @throws StoreFailure or an SQLite error when the file cannot be used. */
  constructor(path: string, tell: (message: WorkerMessage) => void) {
    checkFileSystem(path);
    this.#path = path;
    this.#db = openDatabase(path);
    this.#identity = identityOf(path);
    try {
      const db = this.#db;
      const origin = randomInt(2 ** 31);
      this.#tell = tell;
      this.#walWatch = new WalWatch(path, () => this.#lookAtOthers());
      this.#transactions = prepareTransactions(db, () => this.#walWatch.touch());
      this.#operations = prepareOperations(db, origin);
      this.#foreignChanges = prepareForeignChanges(db, origin);
      this.#holders = new Holders({
        db,
        transactions: this.#transactions,
        liveness: new Liveness(path),
        renewer: this.#operations.renewer,
        now: () => Date.now() + this.#clockAheadMs,
        onFreed: (ids) => this.#tell({ kind: 'hint', ids }),
      });
      this.#holders.recover();
      this.#guard = new LeaseGuard({ renewAll: (leaseMs) => this.#renewOwn(leaseMs) });
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Whether a call must be inside a write transaction. */
  static isWrite(name: Call['name']): boolean {
    return ['submit', 'claim', 'renew', 'commit', 'prune'].includes(name);
  }

  /** The main thread has called. */
  hear(): void {
    this.#guard.hear();
  }

  /** Whether the path has no file any more, or another one: what is written here is for nobody. */
  get isMoved(): boolean {
    return identityOf(this.#path) !== this.#identity;
  }

  /**
   * Answers calls in one transaction: all that they write is on disk afterwards, or none.
   * @throws StoreFailure `store_unavailable` when the file has been taken away under the session.
   */
  answer(calls: readonly Call[], kind: 'write' | 'read'): Answer[] {
    for (const call of calls) this.#admit(call);
    const answers = this.#transactions[kind](() =>
      calls.map((call) => ({ id: call.id, gives: this.#operations.answer(call) })),
    );
    // Nobody will find what went into a file that has no name.
    if (kind === 'write' && this.isMoved) throw new StoreFailure('store_unavailable', MOVED);
    return answers;
  }

  /** Gives up the holders of this store and closes the file. */
  close(): void {
    this.#guard.stop();
    this.#walWatch.close();
    try {
      this.#holders.close();
    } finally {
      this.#db.close();
    }
  }

  /** Notes which leases a call is about to take; must come before the transaction that takes them. */
  #admit(call: Call): void {
    if (call.name === 'renew') {
      this.#clockAheadMs = call.takes.now - Date.now();
      if (call.takes.leases.some(({ release }) => release !== true)) {
        this.#guard.renewed(call.takes.leaseMs);
      }
    }
    if (call.name === 'claim') {
      this.#clockAheadMs = call.takes.now - Date.now();
      this.#holders.announce(call.takes.holder);
      this.#guard.hold(call.takes.leaseMs);
    }
    if (call.name !== 'submit') return;
    for (const { holder, leaseMs } of leasesOf(call.takes)) {
      this.#holders.announce(holder);
      this.#guard.hold(Math.max(MIN_GUARDED_MS, leaseMs));
    }
  }

  #lookAtOthers(): void {
    try {
      const changes = this.#foreignChanges();
      if (changes === null) return;
      this.#tell({ kind: 'hint', ids: changes.ids });
      this.#holders.watch();
    } catch {
      // Whatever it is, the next call of the main thread meets it too and reports it.
    }
  }

  #renewOwn(leaseMs: number): number {
    try {
      return this.#holders.renewOwn(leaseMs);
    } catch {
      // Not known to be none: the guard tries again.
      return 1;
    }
  }
}
