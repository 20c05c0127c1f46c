/**
 * A transaction of the app's own, as the store uses it: a client of `pg` after its `BEGIN` is one, and
 * for other libraries there are adapters. All values are texts.
 */
export interface SqlTransaction {
  query(text: string, values: string[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** Tells whether `value` can be used as a {@link SqlTransaction}. */
export function isSqlTransaction(value: unknown): value is SqlTransaction {
  return (
    typeof value === 'object' &&
    value !== null &&
    'query' in value &&
    typeof value.query === 'function'
  );
}
