import { RECORD, RECORD_TABLES } from './read.ts';
import { sql } from './sql.ts';

/**
 * Stores what is not there yet, by key or by id, and returns the ids of it. The unique indexes
 * decide: who meets a newcomer that is not committed yet waits for it, and then loses or wins.
 */
const STORE: string = sql`
stored AS (
  INSERT INTO durable.intent
    (id, operation, owner, created_at, deadline_at, idempotency_key, fingerprint, seq, events, input)
  SELECT id, operation, owner, created_at, deadline_at, idempotency_key, fingerprint, seq, events, input
  FROM request
  ON CONFLICT DO NOTHING
  RETURNING id
),
begun AS (
  INSERT INTO durable.live
    (id, operation, due_at, deadline_at, seq, status, updated_at, cancel_requested, lease, holder,
     lost_leases, state)
  SELECT id, operation, due_at, deadline_at, seq, status, updated_at, cancel_requested, lease, holder,
    lost_leases, state
  FROM request JOIN stored USING (id)
)`;

/** A batch of submits, one array per column. */
export const SUBMIT: string = sql`
WITH request AS (
  SELECT * FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::int[],
    $9::text[], $10::text[], $11::bigint[], $12::text[], $13::bigint[], $14::boolean[], $15::int[],
    $16::text[], $17::int[], $18::text[]
  ) AS r (
    id, operation, owner, created_at, deadline_at, idempotency_key, fingerprint, seq,
    events, input, due_at, status, updated_at, cancel_requested, lease,
    holder, lost_leases, state
  )
),
${STORE}
SELECT id FROM stored`;

/**
 * One submit inside somebody else's transaction, through whatever client that has: all columns in one
 * JSON text, so that no client's idea of types comes in between. The wake-up is part of the
 * transaction, since only its commit is the moment to wake anybody up.
 */
export const SUBMIT_IN_TRANSACTION: string = sql`
WITH request AS (
  SELECT * FROM json_to_record($1::text::json) AS r (
    id uuid, operation text, owner text, created_at bigint, deadline_at bigint, idempotency_key text,
    fingerprint text, seq int, events text, input text, due_at bigint, status text, updated_at bigint,
    cancel_requested boolean, lease int, holder text, lost_leases int, state text
  )
),
${STORE}
SELECT id::text AS found, pg_notify($2::text, $3::text)::text AS woken FROM stored`;

/** What was there before: by key, else by id. */
export const FIND_EARLIER: string = sql`
SELECT r.n, ${RECORD}
FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS r (id, idempotency_key, n)
CROSS JOIN LATERAL (
  SELECT e.id FROM (
    SELECT id, 1 AS rank FROM durable.intent WHERE idempotency_key = r.idempotency_key
    UNION ALL
    SELECT id, 2 FROM durable.intent WHERE id = r.id
  ) AS e ORDER BY rank LIMIT 1
) AS earlier
JOIN ${RECORD_TABLES} ON i.id = earlier.id`;

/** The same inside somebody else's transaction: the columns of the record as one JSON text. */
export const FIND_EARLIER_IN_TRANSACTION: string = sql`
SELECT json_build_array(${RECORD})::text AS found
FROM ${RECORD_TABLES}, (SELECT $1::text::uuid AS id, $2::text AS idempotency_key) AS r
WHERE i.id = r.id OR i.idempotency_key = r.idempotency_key
ORDER BY (i.idempotency_key = r.idempotency_key) IS TRUE DESC
LIMIT 1`;
