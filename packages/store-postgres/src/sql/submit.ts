import { RECORD, RECORD_TABLES } from './read.ts';
import { sql } from './sql.ts';

/**
 * Stores what is not there yet, by key or by id, and returns the ids of it. The unique indexes
 * decide: who meets a newcomer that is not committed yet waits for it, and then loses or wins.
 */
const store = (operation: string): string => sql`
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
  SELECT id, ${operation}, due_at, deadline_at, seq, status, updated_at, cancel_requested, lease, holder,
    lost_leases, state
  FROM request JOIN stored USING (id)
)`;

/**
 * The same for intents with live keys. Their rows of `live` go first, whose index decides. When then an
 * idempotency key turns out to be taken, the statement fails as a whole, and finds it at its next try.
 */
const STORE_EXCLUSIVE: string = sql`
begun AS (
  INSERT INTO durable.live
    (id, operation, due_at, deadline_at, seq, status, updated_at, cancel_requested, lease, holder,
     lost_leases, state, live_key)
  SELECT id, coalesce(lane, operation), due_at, deadline_at, seq, status, updated_at, cancel_requested,
    lease, holder, lost_leases, state, live_key
  FROM request AS r
  WHERE NOT EXISTS (SELECT FROM durable.intent AS i WHERE i.id = r.id)
    AND NOT EXISTS (SELECT FROM durable.intent AS i WHERE i.idempotency_key = r.idempotency_key)
  ON CONFLICT DO NOTHING
  RETURNING id
),
stored AS (
  INSERT INTO durable.intent
    (id, operation, owner, created_at, deadline_at, idempotency_key, fingerprint, seq, events, input)
  SELECT id, operation, owner, created_at, deadline_at, idempotency_key, fingerprint, seq, events, input
  FROM request JOIN begun USING (id)
  RETURNING id
)`;

/** The lanes of those with keys, for who claims them next. */
const TOUCHED: string = sql`,
touched AS (
  INSERT INTO durable.touched (lane)
  SELECT DISTINCT lane FROM request JOIN stored USING (id) WHERE lane IS NOT NULL
)`;

const batch = (lanes: { readonly type: string; readonly name: string }): string => sql`
WITH request AS (
  SELECT * FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::int[],
    $9::text[], $10::text[], $11::bigint[], $12::text[], $13::bigint[], $14::boolean[], $15::int[],
    $16::text[], $17::int[], $18::text[]${lanes.type}
  ) AS r (
    id, operation, owner, created_at, deadline_at, idempotency_key, fingerprint, seq,
    events, input, due_at, status, updated_at, cancel_requested, lease,
    holder, lost_leases, state${lanes.name}
  )
)`;

/** A batch of submits, one array per column. */
export const SUBMIT: string = sql`${batch({ type: '', name: '' })},
${store('operation')}
SELECT id FROM stored`;

/** The same for a batch in which some have keys: one more column, their lanes. */
export const SUBMIT_KEYED: string = sql`${batch({ type: ', $19::text[]', name: ', lane' })},
${store('coalesce(lane, operation)')}${TOUCHED}
SELECT id FROM stored`;

/** The same for intents with live keys: two more columns, their lanes and these. */
export const SUBMIT_EXCLUSIVE: string = sql`
${batch({ type: ', $19::text[], $20::text[]', name: ', lane, live_key' })},
${STORE_EXCLUSIVE}${TOUCHED}
SELECT id FROM stored`;

/**
 * One submit inside somebody else's transaction, through whatever client that has: all columns in one
 * JSON text, so that no client's idea of types comes in between. The wake-up is part of the
 * transaction, since only its commit is the moment to wake anybody up.
 */
export const SUBMIT_IN_TRANSACTION: string = inTransaction(store('coalesce(lane, operation)'));

/** The same of an intent with a live key. */
export const SUBMIT_EXCLUSIVE_IN_TRANSACTION: string = inTransaction(STORE_EXCLUSIVE);

function inTransaction(stored: string): string {
  return sql`
WITH request AS (
  SELECT * FROM json_to_record($1::text::json) AS r (
    id uuid, operation text, owner text, created_at bigint, deadline_at bigint, idempotency_key text,
    fingerprint text, seq int, events text, input text, due_at bigint, status text, updated_at bigint,
    cancel_requested boolean, lease int, holder text, lost_leases int, state text, lane text,
    live_key text
  )
),
${stored}${TOUCHED}
SELECT id::text AS found, pg_notify($2::text, $3::text)::text AS woken FROM stored`;
}

/** What was there before: by idempotency key, else by id, else by live key. */
export const FIND_EARLIER: string = sql`
SELECT r.n, ${RECORD}
FROM unnest($1::uuid[], $2::text[], $3::text[])
  WITH ORDINALITY AS r (id, idempotency_key, live_key, n)
CROSS JOIN LATERAL (
  SELECT e.id FROM (
    SELECT id, 1 AS rank FROM durable.intent WHERE idempotency_key = r.idempotency_key
    UNION ALL
    SELECT id, 2 FROM durable.intent WHERE id = r.id
    UNION ALL
    SELECT id, 3 FROM durable.live WHERE live_key = r.live_key
  ) AS e ORDER BY rank LIMIT 1
) AS earlier
JOIN ${RECORD_TABLES} ON i.id = earlier.id`;

/** The same inside somebody else's transaction: the columns of the record as one JSON text. */
export const FIND_EARLIER_IN_TRANSACTION: string = sql`
SELECT json_build_array(${RECORD})::text AS found
FROM ${RECORD_TABLES}, (
  SELECT $1::text::uuid AS id, $2::text AS idempotency_key, $3::text AS live_key
) AS r
WHERE i.id = r.id OR i.idempotency_key = r.idempotency_key
  OR i.id = (SELECT id FROM durable.live WHERE live_key = r.live_key)
ORDER BY (i.idempotency_key = r.idempotency_key) IS TRUE DESC, i.id = r.id DESC
LIMIT 1`;
