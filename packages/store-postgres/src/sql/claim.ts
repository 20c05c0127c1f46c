import { NOW, sql } from './sql.ts';

/** The most leases that one statement takes. */
export const MAX_CLAIM = 1_000;

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
 * which they were due. The rest begins where what was claimed ends, unless something was skipped.
 *
 * The limits and the arrays are given as subqueries so that the planner, which cannot look into them,
 * expects few rows and goes by the indexes, whatever its statistics say, and has nothing to gain from a
 * plan of its own for each call. The limits of `MAX_CLAIM` bound what it expects of a large backlog, for
 * which it would compile the statement.
 */
export const CLAIM: string = sql`
WITH clock AS MATERIALIZED (SELECT ${NOW} AS now),
operation AS MATERIALIZED (
  SELECT DISTINCT name FROM unnest((SELECT $1::text[])) AS name LIMIT (SELECT cardinality($1::text[]))
),
head AS (
  SELECT o.name, d.due_at
  FROM operation AS o CROSS JOIN LATERAL (
    SELECT due_at FROM (
      SELECT due_at FROM durable.live
      WHERE operation = o.name AND due_at <= (SELECT now FROM clock)
      ORDER BY due_at LIMIT (SELECT $2::int)
    ) AS first LIMIT ${String(MAX_CLAIM)}
  ) AS d
  ORDER BY d.due_at LIMIT (SELECT $2::int)
),
share AS MATERIALIZED (
  SELECT name, count(*) AS size FROM head GROUP BY name LIMIT (SELECT cardinality($1::text[]))
),
due AS MATERIALIZED (
  SELECT d.id, d.due_at, s.name
  FROM share AS s CROSS JOIN LATERAL (
    SELECT id, due_at FROM (
      SELECT id, due_at FROM durable.live
      WHERE operation = s.name AND due_at <= (SELECT now FROM clock)
      ORDER BY due_at LIMIT s.size
      FOR UPDATE SKIP LOCKED
    ) AS free LIMIT ${String(MAX_CLAIM)}
  ) AS d
  LIMIT (SELECT $2::int)
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
    FROM (
      SELECT name, CASE
        WHEN (SELECT count(*) FROM due) = (SELECT sum(size) FROM share)
        THEN (SELECT max(due_at) FROM due WHERE name = operation.name)
      END AS due_at
      FROM operation
      OFFSET 0
    ) AS o CROSS JOIN LATERAL (
      SELECT due_at FROM durable.live
      WHERE operation = o.name AND due_at >= coalesce(o.due_at, 0)
        AND NOT (id = ANY (ARRAY(SELECT id FROM due)))
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

/** Takes the leases of intents with keys, by the function that the schema has for it: see `lanes.ts`. */
export const CLAIM_KEYED: string = sql`
SELECT * FROM durable.claim_keyed(hashtext($1::text), $2::text[], $3::int[], $4::int[], $5::int[],
  $6::bigint[], $7::int, $8::text, $9::bigint, $10::boolean)`;

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
  SELECT r.id, r.release, l.operation
  FROM request AS r CROSS JOIN LATERAL (
    SELECT operation FROM durable.live
    WHERE id = r.id AND lease = r.lease AND holder IS NOT NULL
    FOR UPDATE
  ) AS l
),
touched AS (
  INSERT INTO durable.touched (lane)
  SELECT DISTINCT operation FROM held WHERE release AND operation < '!' COLLATE "C"
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
