import type { DatabaseSync } from 'node:sqlite';
import type { PruneRequest } from '@durable-api/core';

/** Prepares the removing of old intents; call the result inside a write transaction. */
export function preparePrune(db: DatabaseSync): (request: PruneRequest) => number {
  const old = db.prepare(
    `SELECT n FROM intents WHERE due_at IS NULL AND updated_at < ?
     AND (idempotency_key IS NULL OR created_at < ?) ORDER BY updated_at LIMIT ?`,
  );
  const removeLog = db.prepare('DELETE FROM log WHERE intent IN (?1, -?1)');
  const removeIntent = db.prepare('DELETE FROM intents WHERE n = ?');
  return ({ endedBefore, keyedBefore, limit }) => {
    const numbers = old.all(endedBefore, keyedBefore, limit).map((row) => Number(row['n']));
    for (const n of numbers) {
      removeLog.run(n);
      removeIntent.run(n);
    }
    return numbers.length;
  };
}
