import type { DatabaseSync } from 'node:sqlite';
import type { RenewRequest, RenewResult } from '@durable-api/core';

/** The renewing of leases. */
export interface Renewer {
  /** Renews or gives back; call it inside a write transaction. */
  renew(request: RenewRequest): RenewResult;
  /** Renews all leases of a holder; returns how many it had. Call it inside a write transaction. */
  renewAll(holder: string, now: number, leaseMs: number): number;
  /**
   * Makes all leases of a holder that is gone due, and returns the ids of their intents. It stays their
   * holder, so that the next claim counts them as lost. Call it inside a write transaction.
   */
  expireAll(holder: string, now: number): string[];
}

/** Prepares a {@link Renewer}. */
export function prepareRenew(db: DatabaseSync, origin: number): Renewer {
  const dueAt = 'CASE WHEN deadline_at > ?1 THEN min(?2, deadline_at) ELSE ?2 END';
  const isHeld = 'holder IS NOT NULL AND due_at IS NOT NULL';
  const renewOne = db.prepare(
    `UPDATE intents SET due_at = ${dueAt} WHERE id = ?3 AND lease = ?4 AND ${isHeld}
     RETURNING seq, cancel_requested_at`,
  );
  const release = db.prepare(
    `UPDATE intents SET due_at = ?1, holder = NULL WHERE id = ?2 AND lease = ?3 AND ${isHeld}
     RETURNING n, seq, cancel_requested_at`,
  );
  // No event, but a change that others must look at: it has the intent's number negated.
  const insertMark = db.prepare(
    `INSERT INTO log (intent, last_seq, origin, events) VALUES (-?, ?, ?, '')
     ON CONFLICT DO NOTHING`,
  );
  const renewAll = db.prepare(
    `UPDATE intents SET due_at = ${dueAt} WHERE holder = ?3 AND due_at IS NOT NULL`,
  );
  const expireAll = db.prepare(
    `UPDATE intents SET due_at = ?1 WHERE holder = ?2 AND due_at IS NOT NULL AND due_at > ?1
     RETURNING n, id, lease`,
  );
  return {
    renew: ({ now, leaseMs, leases }) =>
      leases.map(({ id, lease, release: isReleased }) => {
        const row =
          isReleased === true
            ? release.get(now, id, lease)
            : renewOne.get(now, now + leaseMs, id, lease);
        if (row === undefined) return { held: false };
        if (isReleased === true) insertMark.run(Number(row['n']), lease, origin);
        const cancelRequested = row['cancel_requested_at'] !== null;
        return { held: true, seq: Number(row['seq']), cancelRequested };
      }),
    renewAll: (holder, now, leaseMs) => Number(renewAll.run(now, now + leaseMs, holder).changes),
    expireAll: (holder, now) =>
      expireAll.all(now, holder).map((row) => {
        insertMark.run(Number(row['n']), Number(row['lease']), origin);
        return String(row['id']);
      }),
  };
}
