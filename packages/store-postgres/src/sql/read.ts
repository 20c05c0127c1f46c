import { sql } from './sql.ts';

/** Where a record is read from: what was asked, and either where the intent is or how it ended. */
export const RECORD_TABLES: string = sql`(
  durable.intent AS i
  LEFT JOIN durable.live AS l ON l.id = i.id
  LEFT JOIN durable.ended AS e ON e.id = i.id
)`;

/** The columns of a record, in the order of `decodeRecord`. */
export const RECORD: string = sql`
  i.id, i.operation, i.owner, i.created_at, i.deadline_at, i.idempotency_key, i.fingerprint,
  coalesce(l.seq, e.seq), coalesce(l.status, e.status), coalesce(l.updated_at, e.updated_at),
  coalesce(l.lease, e.lease), l.holder, coalesce(l.lost_leases, e.lost_leases), l.due_at,
  coalesce(l.state, e.state)`;

const GET_FROM: string = sql`
FROM unnest($1::uuid[]) WITH ORDINALITY AS r (id, n)
JOIN ${RECORD_TABLES} ON i.id = r.id`;

export const GET: string = sql`SELECT r.n, ${RECORD} ${GET_FROM}`;

export const GET_WITH_INPUT: string = sql`SELECT r.n, ${RECORD}, i.input ${GET_FROM}`;

export const GET_WITH_RESULT: string = sql`
SELECT r.n, ${RECORD}, e.result_status, e.result_headers, e.result_body ${GET_FROM}`;

export const GET_WITH_NOTES: string = sql`
SELECT r.n, ${RECORD}, (
  SELECT json_agg(json_build_array(key, value))::text FROM durable.note WHERE id = r.id
) ${GET_FROM}`;

/** The commits of each intent that hold events after the given one; at most $3 commits. */
export const EVENTS: string = sql`
SELECT r.n, c.seq, c.events
FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS r (id, after, n)
CROSS JOIN LATERAL (
  SELECT seq, events FROM (
    SELECT seq, events FROM durable.intent WHERE id = r.id AND seq > r.after
    UNION ALL (
      SELECT seq, events FROM durable.log WHERE id = r.id AND seq > r.after ORDER BY seq LIMIT $3::int
    )
    UNION ALL
    SELECT seq, events FROM durable.ended WHERE id = r.id AND seq > r.after
  ) AS stored
  ORDER BY seq LIMIT $3::int
) AS c
ORDER BY r.n, c.seq`;

/** Newest first. A filter that is null is none; constants are folded before the plan is made. */
export const LIST: string = sql`
SELECT ${RECORD}
FROM ${RECORD_TABLES}
WHERE ($1::text IS NULL OR i.owner = $1::text)
  AND ($2::text IS NULL OR i.operation = $2::text OR starts_with(i.operation, $2::text || '@@'))
  AND ($3::text[] IS NULL OR coalesce(l.status, e.status) = ANY ($3::text[]))
  AND ($4::uuid IS NULL OR i.id < $4::uuid)
ORDER BY i.id DESC
LIMIT $5::int`;

export const STATS: string = sql`
SELECT status, count(*) FROM durable.live GROUP BY status
UNION ALL
SELECT status, count(*) FROM durable.ended GROUP BY status`;
