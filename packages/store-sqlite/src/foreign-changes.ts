import type { DatabaseSync } from 'node:sqlite';

/** The most ids of one hint; beyond it "look at everything" is cheaper. */
const MAX_IDS = 1_000;

/** What other connections have written since the last look. */
export interface ForeignChanges {
  /** The intents that changed; null when there are too many to name. */
  readonly ids: readonly string[] | null;
}

/** Prepares the look at what others wrote: one cheap pragma when there is nothing. */
export function prepareForeignChanges(
  db: DatabaseSync,
  origin: number,
): () => ForeignChanges | null {
  const version = db.prepare('PRAGMA data_version');
  const last = db.prepare('SELECT max(n) AS n FROM log');
  const changed = db.prepare(
    `SELECT DISTINCT intents.id AS id FROM log JOIN intents ON intents.n = abs(log.intent)
     WHERE log.n > ? AND log.n <= ? AND origin <> ? LIMIT ${MAX_IDS + 1}`,
  );
  const read = (): number => Number(version.get()?.['data_version']);
  const lastNumber = (): number => Number(last.get()?.['n'] ?? 0);
  let seenVersion = read();
  let seenNumber = lastNumber();

  return () => {
    const now = read();
    if (now === seenVersion) return null;
    seenVersion = now;
    const from = seenNumber;
    seenNumber = lastNumber();
    const ids = changed.all(from, seenNumber, origin).map((row) => String(row['id']));
    return { ids: ids.length > MAX_IDS ? null : ids };
  };
}
