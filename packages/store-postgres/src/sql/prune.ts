import { NOW, sql } from './sql.ts';

/**
 * Removes at most $3 intents that ended before $1, and were created before $2 if they have an
 * idempotency key, with all that belongs to them. Several processes prune side by side.
 */
export const PRUNE: string = sql`
WITH old AS MATERIALIZED (
  SELECT id FROM durable.ended
  WHERE updated_at < $1::bigint AND (keyed_at IS NULL OR keyed_at < $2::bigint)
  ORDER BY updated_at LIMIT $3::int
  FOR UPDATE SKIP LOCKED
),
gone AS (DELETE FROM durable.ended AS e USING old WHERE e.id = old.id RETURNING e.id),
unlogged AS (DELETE FROM durable.log AS l USING old WHERE l.id = old.id),
unnoted AS (DELETE FROM durable.note AS k USING old WHERE k.id = old.id),
unpaced AS (DELETE FROM durable.start WHERE until <= ${NOW}),
unasked AS (DELETE FROM durable.intent AS i USING old WHERE i.id = old.id)
SELECT count(*) FROM gone`;
