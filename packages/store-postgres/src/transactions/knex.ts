import type { SqlTransaction } from './sql-transaction.ts';

/** What the adapter needs of a Knex transaction. */
export interface KnexTransaction {
  raw(text: string, values: string[]): PromiseLike<{ readonly rows: readonly unknown[] }>;
}

/** A Knex transaction for `intents.submit(…, { transaction: knexTransaction(trx) })`. */
export function knexTransaction(trx: KnexTransaction): SqlTransaction {
  return {
    // Each parameter stands in the statement once, in order, and nothing else has a question mark.
    query: async (text, values) => trx.raw(text.replaceAll(/\$\d+/g, '?'), values),
  };
}
