import { RECORD, RECORD_TABLES } from './read.ts';
import { sql } from './sql.ts';

/**
 * What is due of all operations but $1, from behind ($2, $3) on. The names in `live`, of operations and of
 * lanes, are found by one step in the index each; a lane's begins with a blank and its operation.
 */
export const LIST_DUE: string = sql`
WITH RECURSIVE name AS (
  SELECT min(operation) AS name FROM durable.live
  UNION ALL
  SELECT (SELECT min(operation) FROM durable.live WHERE operation > name.name)
  FROM name WHERE name.name IS NOT NULL
),
due AS (
  SELECT d.id, d.due_at
  FROM name CROSS JOIN LATERAL (
    SELECT id, due_at FROM durable.live
    WHERE operation = name.name AND due_at >= $2::bigint
      AND (due_at > $2::bigint OR id > $3::uuid)
    ORDER BY due_at, id LIMIT $4::int
  ) AS d
  WHERE name.name IS NOT NULL
    AND split_part(ltrim(name.name, ' '), E'\x1f', 1) <> ALL ($1::text[])
  ORDER BY d.due_at, d.id LIMIT $4::int
)
SELECT ${RECORD}
FROM due JOIN ${RECORD_TABLES} ON i.id = due.id
WHERE l.id IS NOT NULL
ORDER BY due.due_at, due.id`;
