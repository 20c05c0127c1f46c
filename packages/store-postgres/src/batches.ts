/** The most items of one statement, and the most bytes of their payloads. */
const MAX_ITEMS = 1_000;
const MAX_BYTES = 8 * 1024 * 1024;

/** An item of a batch and its place in it, where its result belongs. */
export interface Placed<T> {
  readonly item: T;
  readonly at: number;
}

/** The items of a batch with their places. */
export function placed<T>(batch: readonly T[]): Placed<T>[] {
  return batch.map((item, at) => ({ item, at }));
}

/**
 * Cuts a batch into statements: as much as Postgres takes in one go without a long pause, and never
 * two items with one id, since a statement sees no effect of its own. Items with one id stay in order.
 */
export function toStatements<T>(
  batch: readonly Placed<T>[],
  idOf: (item: T) => string,
  bytesOf: (item: T) => number,
): Placed<T>[][] {
  const statements: Placed<T>[][] = [];
  let rest = batch;
  while (rest.length > 0) {
    const statement: Placed<T>[] = [];
    const later: Placed<T>[] = [];
    const ids = new Set<string>();
    let bytes = 0;
    for (const one of rest) {
      const id = idOf(one.item);
      const size = bytesOf(one.item);
      const isFull = statement.length === MAX_ITEMS || (bytes > 0 && bytes + size > MAX_BYTES);
      if (isFull || ids.has(id)) later.push(one);
      else {
        statement.push(one);
        bytes += size;
      }
      // What is put off keeps later items of its id behind it.
      ids.add(id);
    }
    statements.push(statement);
    rest = later;
  }
  return statements;
}
