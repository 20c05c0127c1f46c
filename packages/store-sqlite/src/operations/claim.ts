import type { DatabaseSync } from 'node:sqlite';
import type { ClaimRequest } from '@durable-api/core';
import type { Calls } from '../channel.ts';
import { COLUMNS, type RecordRow } from '../record-row.ts';
import { prepareClaimKeyed } from './claim-keyed.ts';

/** Prepares the claiming of what is due; call the result inside a write transaction. */
export function prepareClaim(
  db: DatabaseSync,
): (request: Calls['claim']['takes']) => Calls['claim']['gives'] {
  const due = db.prepare(
    `SELECT n, due_at FROM intents WHERE operation = ? AND due_at <= ? AND key IS NULL
     ORDER BY due_at LIMIT ?`,
  );
  const take = db.prepare(
    `UPDATE intents SET lease = lease + 1, holder = ?1,
       lost_leases = lost_leases + (holder IS NOT NULL),
       due_at = CASE WHEN deadline_at > ?2 THEN min(?3, deadline_at) ELSE ?3 END
     WHERE n = ?4 RETURNING ${COLUMNS.join(', ')}`,
  );
  take.setReturnArrays(true);
  const input = db.prepare('SELECT input FROM log WHERE intent = ? ORDER BY last_seq LIMIT 1');
  const next = db.prepare(
    `SELECT min(due_at) AS due_at FROM intents
     WHERE operation = ? AND due_at IS NOT NULL AND key IS NULL`,
  );
  const lease = ({ now, holder, leaseMs }: ClaimRequest, number: number): Claimed => {
    const row: unknown = take.get(holder, now, now + leaseMs, number);
    if (!Array.isArray(row)) throw new Error(`Intent number ${number} vanished under the lock.`);
    return [row, String(input.get(number)?.['input'])];
  };
  const claimKeyed = prepareClaimKeyed(db, lease);

  function claimPlain(request: ClaimRequest): Calls['claim']['gives'] {
    const { now, limit } = request;
    const operations = [...new Set(request.operations)];
    const found = operations.flatMap((operation) => due.all(operation, now, limit));
    if (operations.length > 1) found.sort((a, b) => Number(a['due_at']) - Number(b['due_at']));
    const claimed = found.slice(0, limit).map(({ n }) => lease(request, Number(n)));
    const dues = operations.map((operation) => next.get(operation)?.['due_at']);
    const left = dues.filter((dueAt) => typeof dueAt === 'number');
    return { claimed, nextDueAt: left.length === 0 ? null : Math.min(...left) };
  }

  return (request) => {
    if (request.keyed === undefined) return claimPlain(request);
    const { claimed, nextDueAt, isHeldBack } = claimKeyed(request);
    const plain = claimPlain({ ...request, limit: request.limit - claimed.length });
    const next = Math.min(nextDueAt ?? Infinity, plain.nextDueAt ?? Infinity);
    return {
      claimed: [...claimed, ...plain.claimed],
      nextDueAt: next === Infinity ? null : next,
      isHeldBack,
    };
  };
}

type Claimed = readonly [row: RecordRow, input: string];
