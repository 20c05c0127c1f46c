import type { SqlTransaction } from './sql-transaction.ts';

/** What the adapter needs of a Kysely transaction. */
export interface KyselyTransaction<Compiled> {
  executeQuery(query: Compiled): Promise<{ readonly rows: readonly unknown[] }>;
}

/** Kysely's own `CompiledQuery`. */
export interface KyselyCompiledQuery<Compiled> {
  raw(text: string, values: unknown[]): Compiled;
}

/** A Kysely transaction for `{ transaction: kyselyTransaction(trx, CompiledQuery) }`. */
export function kyselyTransaction<Compiled>(
  trx: KyselyTransaction<Compiled>,
  CompiledQuery: KyselyCompiledQuery<Compiled>,
): SqlTransaction {
  return { query: (text, values) => trx.executeQuery(CompiledQuery.raw(text, values)) };
}
