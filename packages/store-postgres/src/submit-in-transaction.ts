import { DurableError, type SubmitRequest, type SubmitResult } from '@durable-api/core';
import type { Row } from './database.ts';
import { decodeRecord } from './record.ts';
import {
  FIND_EARLIER_IN_TRANSACTION,
  SUBMIT_EXCLUSIVE_IN_TRANSACTION,
  SUBMIT_IN_TRANSACTION,
} from './sql/submit.ts';
import { toStoreError } from './store-error.ts';
import { toSubmitRow } from './submit.ts';
import { isSqlTransaction, type SqlTransaction } from './transactions/sql-transaction.ts';
import { encodeWakeUp } from './wake-up.ts';

/** The sender of the wake-ups of transactions: no process takes them for its own and ignores them. */
const TRANSACTION = 'transaction';

/** Where the submit goes. */
export interface TransactionalSubmit {
  readonly transaction: unknown;
  readonly channel: string;
  /** Puts the names of the schema into a statement. */
  readonly text: (statement: string) => string;
}

/**
 * Stores a batch as a part of the caller's transaction, one intent at a time: see `Store.submit`.
 * @throws DurableError `options_invalid` when it is no transaction
 */
export async function submitInTransaction(
  batch: readonly SubmitRequest[],
  { transaction, channel, text }: TransactionalSubmit,
): Promise<SubmitResult[]> {
  if (!isSqlTransaction(transaction)) {
    const message =
      '`transaction` takes a client of pg on which BEGIN was called, or what knexTransaction, ' +
      'kyselyTransaction, drizzleTransaction or prismaTransaction give.';
    throw new DurableError('options_invalid', message);
  }
  const run = (statement: string, values: string[]): Promise<string[]> =>
    query(transaction, text(statement), values);
  const results: SubmitResult[] = [];
  for (const request of batch) {
    const row = toSubmitRow(request);
    const wakeUp = encodeWakeUp({ sender: TRANSACTION, ids: [row.id] });
    const statement =
      row.live_key === null ? SUBMIT_IN_TRANSACTION : SUBMIT_EXCLUSIVE_IN_TRANSACTION;
    const stored = await run(statement, [JSON.stringify(row), channel, wakeUp]);
    if (stored.length > 0) results.push({ outcome: 'created' });
    else {
      const earlier = await run(FIND_EARLIER_IN_TRANSACTION, [
        row.id,
        row.idempotency_key ?? '',
        row.live_key ?? '',
      ]);
      results.push({ outcome: 'exists', record: readEarlier(earlier) });
    }
  }
  return results;
}

/** The one column, `found`, of each row. */
async function query(
  transaction: SqlTransaction,
  text: string,
  values: string[],
): Promise<string[]> {
  try {
    const { rows } = await transaction.query(text, values);
    return rows.map((row) => {
      if (typeof row === 'object' && row !== null && 'found' in row) return String(row.found);
      throw new Error('The transaction gave rows that are no objects.');
    });
  } catch (error) {
    throw toStoreError(error);
  }
}

function readEarlier([json]: string[]): IntentRow {
  const row: unknown = json === undefined ? undefined : JSON.parse(json);
  if (Array.isArray(row)) return decodeRecord(toRow(row), 0);
  // It was pruned, or committed after a stricter transaction than READ COMMITTED had begun.
  const message = 'An earlier intent has the key but cannot be seen. Roll back and begin again.';
  throw new DurableError('store_unavailable', message, { retryAfterSeconds: 1 });
}

type IntentRow = ReturnType<typeof decodeRecord>;

function toRow(values: readonly unknown[]): Row {
  return values.map((value) => {
    if (typeof value === 'number') return String(value);
    return typeof value === 'string' ? value : null;
  });
}
