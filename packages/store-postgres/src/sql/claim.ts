import { NOW, sql } from './sql.ts';

/**
 * Takes the leases of at most $2 due intents of the operations $1 for the holder $3 and $4 ms.
 *
 * `head` finds how much of each operation is among the longest due, so that `due` takes row locks on
 * no more than it claims, whatever number of operations there is. Between the snapshot and the lock
 * another claim may have been first: then the row is either locked, and skipped, or Postgres checks
 * `due_at` again on the row's new version, where it lies ahead. Either way no lease is taken twice. A
 * commit or renewal that came first has its new version claimed, not the old one.
 *
 * The first row tells the server's time, the earliest instant of the rest and the ids in the order in
 * which they were due. The limits and the array are given as subqueries so that the planner, which
 * cannot look into them, expects few rows and goes by the indexes, whatever its statistics say.
 */
export const CLAIM: string = sql`
WITH clock AS MATERIALIZED (SELECT ${NOW} AS now),
operation AS (SELECT DISTINCT unnest($1::text[]) AS name),
head AS (
  SELECT o.name, d.due_at
  FROM operation AS o CROSS JOIN LATERAL (
    SELECT due_at FROM durable.live
    WHERE operation = o.name AND due_at <= (SELECT now FROM clock)
    ORDER BY due_at LIMIT (SELECT $2::int)
  ) AS d
  ORDER BY d.due_at LIMIT (SELECT $2::int)
),
share AS (SELECT name, count(*) AS size FROM head GROUP BY name),
due AS MATERIALIZED (
  SELECT d.id, d.due_at
  FROM share AS s CROSS JOIN LATERAL (
    SELECT id, due_at FROM durable.live
    WHERE operation = s.name AND due_at <= (SELECT now FROM clock)
    ORDER BY due_at LIMIT s.size
    FOR UPDATE SKIP LOCKED
  ) AS d
),
claimed AS (
  UPDATE durable.live AS l SET
    lease = l.lease + 1,
    holder = $3::text,
    lost_leases = l.lost_leases + (l.holder IS NOT NULL)::int,
    due_at = CASE
      WHEN l.deadline_at > c.now THEN least(c.now + $4::bigint, l.deadline_at)
      ELSE c.now + $4::bigint
    END
  FROM clock AS c
  WHERE l.id = ANY (ARRAY(SELECT id FROM due))
  RETURNING l.id, l.seq, l.status, l.updated_at, l.lease, l.holder, l.lost_leases, l.due_at, l.state
),
rest AS (
  SELECT min(due_at) AS due_at FROM (
    SELECT due_at FROM claimed
    UNION ALL
    SELECT n.due_at
    FROM operation AS o CROSS JOIN LATERAL (
      SELECT due_at FROM durable.live
      WHERE operation = o.name AND id NOT IN (SELECT id FROM due)
      ORDER BY due_at LIMIT 1
    ) AS n
  ) AS each
)
SELECT summary.now, summary.next_due_at, summary.ids,
  i.id, i.operation, i.owner, i.created_at, i.deadline_at, i.idempotency_key, i.fingerprint,
  c.seq, c.status, c.updated_at, c.lease, c.holder, c.lost_leases, c.due_at, c.state,
  i.input
FROM (
  SELECT t.now, rest.due_at AS next_due_at,
    array_to_string(ARRAY(SELECT id FROM due ORDER BY due_at, id), ',') AS ids
  FROM clock AS t CROSS JOIN rest
) AS summary
FULL JOIN (claimed AS c JOIN durable.intent AS i ON i.id = c.id) ON false`;

/**
 * Sets the end of leases that are still held, or gives them back. Rows are locked in the order of
 * the request, which is that of their ids, as commits do, so that two statements never wait for each
 * other in a circle.
 */
export const RENEW: string = sql`
WITH request AS (
  SELECT * FROM unnest($1::uuid[], $2::int[], $3::boolean[]) AS r (id, lease, release)
  LIMIT (SELECT cardinality($1::uuid[]))
),
held AS MATERIALIZED (
  SELECT r.id, r.release
  FROM request AS r CROSS JOIN LATERAL (
    SELECT FROM durable.live
    WHERE id = r.id AND lease = r.lease AND holder IS NOT NULL
    FOR UPDATE
  ) AS l
)
UPDATE durable.live AS l SET
  holder = CASE WHEN h.release THEN NULL ELSE l.holder END,
  due_at = CASE
    WHEN h.release THEN c.now
    WHEN l.deadline_at > c.now THEN least(c.now + $4::bigint, l.deadline_at)
    ELSE c.now + $4::bigint
  END
FROM held AS h CROSS JOIN (SELECT ${NOW} AS now) AS c
WHERE l.id = h.id
RETURNING l.id, l.seq, l.cancel_requested`;
