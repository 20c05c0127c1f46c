import {
  DurableError,
  isDurableError,
  type SubmitRequest,
  type SubmitResult,
} from '@durable-api/core';
import { joinEvents } from './event-lines.ts';
import { fromRow } from './from-row.ts';
import { EARLIER } from './operations/find.ts';
import { INSERT_INTENT, INSERT_LOG } from './operations/submit.ts';
import { COLUMNS, toRow, type Cell, type RecordRow } from './record-row.ts';
import { asTransactionOn, type SqliteHandle } from './sqlite-handle.ts';
import { failureOf } from './store-failure.ts';

/** What marks the rows of transactions: no store's own number, so that all stores notice them. */
const ORIGIN = -1;

/**
 * Stores a batch as a part of the caller's transaction on the file at `path`: see `Store.submit`.
 * @throws DurableError `options_invalid` when it is no transaction on that file
 */
export function submitInTransaction(
  path: string,
  batch: readonly SubmitRequest[],
  transaction: unknown,
): SubmitResult[] {
  try {
    const handle = asTransactionOn(path, transaction);
    const insertIntent = handle.prepare(INSERT_INTENT);
    const insertLog = handle.prepare(INSERT_LOG);
    return batch.map(({ record, events, input }): SubmitResult => {
      const row = toRow(record);
      const { changes, lastInsertRowid } = insertIntent.run(...row);
      if (Number(changes) === 0)
        return { outcome: 'exists', record: fromRow(findEarlier(handle, row)) };
      insertLog.run(lastInsertRowid, record.seq, ORIGIN, joinEvents(events), input);
      return { outcome: 'created' };
    });
  } catch (error) {
    if (isDurableError(error)) throw error;
    const { code, message } = failureOf(error);
    throw new DurableError(code, message, { cause: error });
  }
}

/** The row that is in the way of another one's. */
function findEarlier(handle: SqliteHandle, than: RecordRow): RecordRow {
  const columns = COLUMNS.join(', ');
  const found = EARLIER.reduce<unknown>((earlier, { index, condition }) => {
    const value = than[index] ?? null;
    if (value === null || (earlier !== undefined && earlier !== null)) return earlier;
    return handle.prepare(`SELECT ${columns} FROM intents WHERE ${condition}`).get(value);
  }, undefined);
  if (typeof found !== 'object' || found === null) throw new Error('A submit found no room.');
  return COLUMNS.map((column) => toCell(Reflect.get(found, column)));
}

function toCell(value: unknown): Cell {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}
