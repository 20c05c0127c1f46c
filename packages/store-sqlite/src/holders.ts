import type { DatabaseSync } from 'node:sqlite';
import type { Liveness } from './liveness.ts';
import type { Renewer } from './operations/renew.ts';
import type { Transactions } from './transaction.ts';

/** How often other holders are looked at while they have leases, in ms. */
const INTERVAL_MS = 1_000;

/** What holders need and tell. */
export interface HoldersSetup {
  readonly db: DatabaseSync;
  readonly transactions: Transactions;
  readonly liveness: Liveness;
  readonly renewer: Renewer;
  /** What time it is on the clock that leases go by. */
  readonly now: () => number;
  /** Leases of the dead were made due. */
  readonly onFreed: (ids: readonly string[]) => void;
}

/** The holders of leases: those of this store, and those of others, some of which may have died. */
export class Holders {
  readonly #setup: HoldersSetup;
  readonly #own = new Set<string>();
  readonly #add;
  readonly #all;
  readonly #leased;
  readonly #remove;
  #isRecovered = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(setup: HoldersSetup) {
    const { db } = setup;
    this.#setup = setup;
    this.#add = db.prepare('INSERT OR REPLACE INTO holders (holder, live) VALUES (?, ?)');
    this.#all = db.prepare('SELECT holder, live FROM holders');
    this.#leased = db.prepare(
      `SELECT holder, live FROM holders WHERE live <> ? AND EXISTS
       (SELECT 1 FROM intents WHERE intents.holder = holders.holder)`,
    );
    this.#remove = db.prepare('DELETE FROM holders WHERE holder = ? AND live = ?');
  }

  /** Enters a holder of this store; must come before it has its first lease. */
  announce(holder: string): void {
    if (this.#own.has(holder)) return;
    this.#setup.liveness.show();
    this.#setup.transactions.write(() => this.#add.run(holder, this.#setup.liveness.file));
    this.#own.add(holder);
  }

  /** Renews all leases of this store; returns how many there are. */
  renewOwn(leaseMs: number): number {
    const { transactions, renewer, now } = this.#setup;
    return transactions.write(() => {
      let count = 0;
      for (const holder of this.#own) count += renewer.renewAll(holder, now(), leaseMs);
      return count;
    });
  }

  /** Frees what the dead have left, which makes opening a file after a crash a recovery. */
  recover(): void {
    this.#look();
  }

  /** Others may have taken leases: looks at them from now on, while they have some. */
  watch(): void {
    this.#timer ??= setTimeout(() => this.#look(), INTERVAL_MS).unref();
  }

  /** Gives up the leases of this store. Leaves it to others to find out where that is not possible. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const { transactions, liveness } = this.#setup;
    try {
      if (this.#own.size > 0) transactions.write(() => this.#free([...this.#own], liveness.file));
    } finally {
      liveness.close();
    }
  }

  #look(): void {
    this.#timer = null;
    try {
      if (!this.#isRecovered) this.#lookAtAll();
      const leased = this.#leased.all(this.#setup.liveness.file).map(toHolder);
      if (leased.length > this.#bury(leased)) this.watch();
    } catch {
      // The file could not be used just now; the next look comes within a second.
      this.watch();
    }
  }

  /** Once, also at those without leases, so that what the dead have left does not gather. */
  #lookAtAll(): void {
    const all = this.#all.all().map(toHolder);
    this.#bury(all);
    this.#setup.liveness.sweep(new Set(all.map(({ live }) => live)));
    this.#isRecovered = true;
  }

  /** Frees the leases of those that are dead; returns how many holders these were. */
  #bury(holders: readonly Holder[]): number {
    const { transactions, liveness } = this.#setup;
    const byFile = Map.groupBy(holders, ({ live }) => live);
    let count = 0;
    for (const [file, each] of byFile) {
      if (!liveness.isDead(file)) continue;
      const names = each.map(({ holder }) => holder);
      const freed = transactions.write(() => this.#free(names, file));
      liveness.forget(file);
      count += names.length;
      if (freed.length > 0) this.#setup.onFreed(freed);
    }
    return count;
  }

  #free(holders: readonly string[], file: string): string[] {
    const { renewer, now } = this.#setup;
    return holders.flatMap((holder) => {
      // Somebody else may have taken the name over since.
      if (this.#remove.run(holder, file).changes === 0) return [];
      return renewer.expireAll(holder, now());
    });
  }
}

interface Holder {
  readonly holder: string;
  readonly live: string;
}

function toHolder(row: Record<string, unknown>): Holder {
  return { holder: String(row['holder']), live: String(row['live']) };
}
