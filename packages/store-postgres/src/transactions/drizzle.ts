import type { SqlTransaction } from './sql-transaction.ts';

/** What the adapter needs of a Drizzle transaction over `pg`. */
export interface DrizzleTransaction<Sql> {
  execute(query: Sql): PromiseLike<{ readonly rows: readonly unknown[] }>;
}

/** Drizzle's own `sql`. */
export type DrizzleSql<Sql> = (strings: TemplateStringsArray, ...values: unknown[]) => Sql;

/** A Drizzle transaction for `{ transaction: drizzleTransaction(tx, sql) }`. */
export function drizzleTransaction<Sql>(
  tx: DrizzleTransaction<Sql>,
  sql: DrizzleSql<Sql>,
): SqlTransaction {
  return {
    query: async (text, values) => {
      const parts = text.split(/\$\d+/);
      return tx.execute(sql(Object.assign(parts, { raw: parts }), ...values));
    },
  };
}
