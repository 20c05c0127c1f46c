import { randomInt } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Answer, Call, WorkerMessage } from './channel.ts';
import { checkFileSystem } from './file-system.ts';
import { prepareForeignChanges, type ForeignChanges } from './foreign-changes.ts';
import { LeaseGuard } from './lease-guard.ts';
import { Liveness } from './liveness.ts';
import { openDatabase } from './open-database.ts';
import { prepareClaim } from './operations/claim.ts';
import { prepareCommit } from './operations/commit.ts';
import { prepareFind } from './operations/find.ts';
import { preparePrune } from './operations/prune.ts';
import { prepareRead, type Reader } from './operations/read.ts';
import { prepareRenew, type Renewer } from './operations/renew.ts';
import { prepareSubmit } from './operations/submit.ts';
import { columnIndex } from './record-row.ts';
import { WalWatch } from './wal-watch.ts';

/** How often foreign holders are looked at while there are any, in ms. */
const LIVENESS_INTERVAL_MS = 1_000;

const HOLDER = columnIndex('holder');
const DUE_AT = columnIndex('due_at');
const UPDATED_AT = columnIndex('updated_at');

/** An open database with all that belongs to it, in the worker thread. */
export class DatabaseSession {
  readonly #db: DatabaseSync;
  readonly #tell: (message: WorkerMessage) => void;
  readonly #liveness: Liveness;
  readonly #guard: LeaseGuard;
  readonly #walWatch: WalWatch;
  readonly #submit: ReturnType<typeof prepareSubmit>;
  readonly #claim: ReturnType<typeof prepareClaim>;
  readonly #commit: ReturnType<typeof prepareCommit>;
  readonly #prune: ReturnType<typeof preparePrune>;
  readonly #renewer: Renewer;
  readonly #reader: Reader;
  readonly #foreignChanges: () => ForeignChanges | null;
  readonly #holders: StatementSync;
  readonly #addHolder: StatementSync;
  readonly #removeHolder: StatementSync;
  readonly #admitted = new Set<string>();
  #livenessTimer: NodeJS.Timeout | null = null;

  /** @throws StoreFailure or an SQLite error when the file cannot be used. */
  constructor(path: string, tell: (message: WorkerMessage) => void) {
    checkFileSystem(path);
    this.#db = openDatabase(path);
    this.#tell = tell;
    const db = this.#db;
    const origin = randomInt(2 ** 31);
    const find = prepareFind(db);
    this.#submit = prepareSubmit(db, find, origin);
    this.#claim = prepareClaim(db);
    this.#commit = prepareCommit(db, find, origin);
    this.#prune = preparePrune(db);
    this.#renewer = prepareRenew(db, origin);
    this.#reader = prepareRead(db, find);
    this.#foreignChanges = prepareForeignChanges(db, origin);
    this.#holders = db.prepare('SELECT holder FROM holders');
    this.#addHolder = db.prepare('INSERT INTO holders (holder) VALUES (?) ON CONFLICT DO NOTHING');
    this.#removeHolder = db.prepare('DELETE FROM holders WHERE holder = ?');
    this.#liveness = new Liveness(path);
    this.#guard = new LeaseGuard({ renewAll: (leaseMs) => this.#renewOwn(leaseMs) });
    this.#walWatch = new WalWatch(path, () => this.#lookAtOthers());
    this.#checkHolders();
  }

  /** Whether a call must be inside a write transaction. */
  static isWrite(name: Call['name']): boolean {
    return ['submit', 'claim', 'renew', 'commit', 'prune'].includes(name);
  }

  /** The main thread has called. */
  hear(): void {
    this.#guard.hear();
  }

  /** Notes which leases a call is about to take; must come before the transaction that takes them. */
  #admit(call: Call): void {
    if (call.name === 'renew') this.#guard.watch(call.takes.leaseMs);
    if (call.name === 'claim') {
      this.#announce(call.takes.holder);
      this.#guard.watch(call.takes.leaseMs);
    }
    if (call.name !== 'submit') return;
    for (const [row] of call.takes) {
      const holder = row[HOLDER];
      const leaseMs = Number(row[DUE_AT]) - Number(row[UPDATED_AT]);
      if (typeof holder !== 'string') continue;
      this.#announce(holder);
      this.#guard.watch(Math.max(100, leaseMs));
    }
  }

  /** Answers writes in one transaction: all of it is on disk afterwards, or none. */
  answerWrites(calls: readonly Call[]): Answer[] {
    for (const call of calls) this.#admit(call);
    return this.#transaction(() =>
      calls.map((call) => ({ id: call.id, gives: this.answer(call) })),
    );
  }

  #transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      // A failed COMMIT has rolled back already.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /** Answers one call; a write goes through {@link answerWrites}. */
  answer(call: Call): unknown {
    switch (call.name) {
      case 'submit':
        return this.#submit(call.takes);
      case 'claim':
        return this.#claim(call.takes);
      case 'renew':
        return this.#renewer.renew(call.takes);
      case 'commit':
        return this.#commit(call.takes);
      case 'prune':
        return this.#prune(call.takes);
      case 'get':
        return this.#reader.get(call.takes);
      case 'events':
        return this.#reader.events(call.takes);
      case 'list':
        return this.#reader.list(call.takes);
      case 'stats':
        return this.#reader.stats();
      case 'open':
      case 'close':
        return null;
    }
  }

  /** Gives up the holders of this store and closes the file. */
  close(): void {
    this.#guard.stop();
    this.#walWatch.close();
    if (this.#livenessTimer !== null) clearInterval(this.#livenessTimer);
    const own = this.#liveness.own;
    if (own.size > 0) {
      this.#transaction(() => {
        for (const holder of own) this.#bury(holder);
      });
    }
    this.#liveness.close();
    this.#db.close();
  }

  /** Shows that a holder lives here, before it has its first lease. */
  #announce(holder: string): void {
    if (this.#admitted.has(holder)) return;
    // First the lock, then the row: whoever reads the row finds the lock.
    this.#liveness.announce(holder);
    this.#addHolder.run(holder);
    this.#admitted.add(holder);
  }

  #lookAtOthers(): void {
    try {
      const changes = this.#foreignChanges();
      if (changes === null) return;
      this.#tell({ kind: 'hint', ids: changes.ids });
      this.#checkHolders();
    } catch {
      // Whatever it is, the next call of the main thread meets it too and reports it.
    }
  }

  /** Frees the leases of the dead, and goes on looking while others are alive. */
  #checkHolders(): void {
    const foreign = this.#holders
      .all()
      .map((row) => String(row['holder']))
      .filter((holder) => !this.#liveness.isOwn(holder));
    const dead = foreign.filter((holder) => this.#liveness.isDead(holder));
    if (dead.length > 0) {
      this.#transaction(() => {
        for (const holder of dead) this.#bury(holder);
      });
      for (const holder of dead) this.#liveness.forget(holder);
      this.#tell({ kind: 'hint', ids: [] });
    }
    if (foreign.length === dead.length) {
      if (this.#livenessTimer !== null) clearInterval(this.#livenessTimer);
      this.#livenessTimer = null;
    } else {
      this.#livenessTimer ??= setInterval(
        () => this.#lookAtHolders(),
        LIVENESS_INTERVAL_MS,
      ).unref();
    }
  }

  #lookAtHolders(): void {
    try {
      this.#checkHolders();
    } catch {
      // The next look comes within a second.
    }
  }

  #bury(holder: string): void {
    this.#renewer.expireAll(holder, Date.now());
    this.#removeHolder.run(holder);
  }

  #renewOwn(leaseMs: number): number {
    try {
      return this.#transaction(() => {
        const counts = [...this.#liveness.own].map((holder) =>
          this.#renewer.renewAll(holder, Date.now(), leaseMs),
        );
        return counts.reduce((sum, count) => sum + count, 0);
      });
    } catch {
      return 1;
    }
  }
}
