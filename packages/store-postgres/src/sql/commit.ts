import { sql } from './sql.ts';

/**
 * Writes a batch of changes, at most one per intent, and returns the ids of those that were written.
 *
 * `held` decides, and everything else follows from it: it locks the rows whose guard holds, in the
 * order of the request, which is that of their ids, so that two batches never wait for each other in
 * a circle. A row that somebody else was changing is waited for, and its guard is checked again on
 * what that left; a change that comes too late is not in `held`, and nothing of it is written. The
 * lease fields are read under the lock too.
 *
 * The planner takes a limit that it cannot look into for a tenth of the rows. So it looks them up by
 * index, whatever its statistics say, instead of reading all of `live`.
 */
export const COMMIT: string = sql`
WITH request AS (
  SELECT * FROM unnest(
    $1::uuid[], $2::int[], $3::int[], $4::int[], $5::text[], $6::bigint[], $7::boolean[], $8::boolean[],
    $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::int[], $14::text[], $15::bytea[]
  ) AS r (
    id, expected_seq, expected_lease, seq, status, updated_at, cancel_requested, released,
    due_at, keyed_at, state, events, result_status, result_headers, result_body
  )
  LIMIT (SELECT cardinality($1::uuid[]))
),
held AS MATERIALIZED (
  SELECT r.*, l.lease, l.lost_leases
  FROM request AS r CROSS JOIN LATERAL (
    SELECT lease, lost_leases FROM durable.live
    WHERE id = r.id
      AND seq = r.expected_seq
      AND (r.expected_lease IS NULL OR (lease = r.expected_lease AND holder IS NOT NULL))
    FOR UPDATE
  ) AS l
),
changed AS (
  UPDATE durable.live AS l SET
    seq = h.seq,
    status = h.status,
    updated_at = h.updated_at,
    cancel_requested = h.cancel_requested,
    state = h.state,
    holder = CASE WHEN h.released THEN NULL ELSE l.holder END,
    due_at = CASE WHEN h.released THEN h.due_at ELSE l.due_at END
  FROM held AS h
  WHERE l.id = h.id AND h.due_at IS NOT NULL
),
logged AS (
  INSERT INTO durable.log (id, seq, events)
  SELECT id, seq, events FROM held WHERE due_at IS NOT NULL
),
left_live AS (
  DELETE FROM durable.live AS l USING held AS h WHERE l.id = h.id AND h.due_at IS NULL
),
ended AS (
  INSERT INTO durable.ended
    (id, seq, status, updated_at, keyed_at, lease, lost_leases, state, events, result_status,
     result_headers, result_body)
  SELECT id, seq, status, updated_at, keyed_at, lease, lost_leases, state, events, result_status,
    result_headers, result_body
  FROM held
  WHERE due_at IS NULL
)
SELECT id FROM held`;

/** The events of the commits that end at the given numbers, to recognise a repeated commit. */
export const FIND_COMMITTED: string = sql`
SELECT r.n, c.events
FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS r (id, seq, n)
CROSS JOIN LATERAL (
  SELECT events FROM durable.log WHERE id = r.id AND seq = r.seq
  UNION ALL
  SELECT events FROM durable.ended WHERE id = r.id AND seq = r.seq
) AS c`;
