import { sql } from './sql.ts';

/**
 * What intents with keys wait in. In `live` their operation is the name of their lane, which begins with a
 * blank, as no operation does: see `laneName`. So claims of intents without keys do not see them, and the
 * index that those go by serves for the order within a lane too.
 *
 * `lane` has the lanes with intents that have not ended; `look_at` is when a claim must look at one, 0 for
 * the next claim. Only claims write to it, one at a time. Who submits, or gives up a lease, inserts into
 * `touched`, so that nobody waits for anybody, and the next claim reads that.
 */
export const CREATE_LANES: string = sql`
CREATE TABLE durable.lane (
  name text COLLATE "C" PRIMARY KEY,
  operation text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  priority int NOT NULL,
  turn bigint NOT NULL,
  look_at bigint NOT NULL,
  is_full boolean NOT NULL DEFAULT false
) WITH (
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0
);
COMMENT ON TABLE durable.lane IS 'Lanes of intents with keys: one per operation, key and priority';
CREATE INDEX lane_line ON durable.lane (operation, priority DESC, turn) WHERE look_at = 0;
CREATE INDEX lane_look ON durable.lane (operation, look_at);
CREATE INDEX lane_place ON durable.lane (operation, key);
CREATE INDEX lane_full ON durable.lane (operation) WHERE is_full AND look_at > 0;

CREATE TABLE durable.touched (
  lane text COLLATE "C" NOT NULL
) WITH (
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0
);
COMMENT ON TABLE durable.touched IS 'Lanes that the next claim of intents with keys must look at';

CREATE TABLE durable.start (
  operation text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  at bigint NOT NULL,
  until bigint NOT NULL,
  count int NOT NULL,
  PRIMARY KEY (operation, key, at)
);
COMMENT ON TABLE durable.start IS 'When leases of keys with a rate limit were taken';

CREATE INDEX live_held ON durable.live (operation, due_at) WHERE holder IS NOT NULL AND operation < '!';
CREATE INDEX live_deadline ON durable.live (operation, deadline_at)
  WHERE holder IS NULL AND operation < '!'`;

/**
 * The claim of intents with keys: `p_rooms`, `p_per_key`, `p_rates` and `p_periods` belong to
 * `p_operations`, with null where there is no limit. The lock has one claim at a time count what is held,
 * each on what the one before has left: every statement in here sees what was committed until it began.
 *
 * The settings leave the planner the indexes only, whatever its statistics say of tables that are empty now.
 */
export const CREATE_CLAIM_KEYED: string = sql`
CREATE FUNCTION durable.claim_keyed(
  p_lock int, p_operations text[], p_rooms int[], p_per_key int[], p_rates int[], p_periods bigint[],
  p_limit int, p_holder text, p_lease_ms bigint, p_fresh boolean
) RETURNS TABLE (
  now bigint, next_due_at bigint, ids text, is_held_back boolean,
  id uuid, operation text, owner text, created_at bigint, deadline_at bigint, idempotency_key text,
  fingerprint text, seq int, status text, updated_at bigint, lease int, holder text, lost_leases int,
  due_at bigint, state text, input text
)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $claim$
#variable_conflict use_column
DECLARE
  v_now bigint;
  v_turn bigint;
  v_touched text[];
  v_rooms int[] := p_rooms;
  v_left int := p_limit;
  v_ids uuid[] := '{}';
  v_priority int;
  v_share int;
  v_lane record;
  v_names text[];
  v_first bigint;
  v_most int;
  v_free int;
  v_is_full boolean;
  v_until bigint;
  v_late uuid[];
  v_due uuid[];
  v_taken uuid[];
BEGIN
  PERFORM pg_advisory_xact_lock(1685418339, p_lock);
  v_turn := floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
  v_now := v_turn / 1000;

  WITH gone AS (DELETE FROM durable.touched RETURNING lane)
  SELECT array_agg(DISTINCT lane) INTO v_touched FROM gone;
  IF v_touched IS NOT NULL THEN
    INSERT INTO durable.lane (name, operation, key, priority, turn, look_at)
    SELECT t.name, substr(split_part(t.name, E'\x1f', 1), 2), split_part(t.name, E'\x1f', 3),
      split_part(t.name, E'\x1f', 2)::int, v_turn, 0
    FROM unnest(v_touched) AS t (name)
    ON CONFLICT (name) DO NOTHING;
    UPDATE durable.lane AS l SET look_at = 0
    FROM (SELECT DISTINCT operation, key FROM durable.lane WHERE name = ANY (v_touched)) AS p
    WHERE l.operation = p.operation AND l.key = p.key AND l.look_at > 0;
  END IF;
  UPDATE durable.lane SET look_at = 0
  WHERE operation = ANY (p_operations) AND look_at > 0 AND (p_fresh OR look_at <= v_now);

  -- Each round serves the lanes of the highest priority in line, to each its share of what is left.
  LOOP
    SELECT l.priority INTO v_priority
    FROM unnest(p_operations, v_rooms) AS o (name, room)
    CROSS JOIN LATERAL (
      SELECT priority FROM durable.lane
      WHERE operation = o.name AND look_at = 0 ORDER BY priority DESC LIMIT 1
    ) AS l
    WHERE o.room IS NULL OR o.room > 0
    ORDER BY l.priority DESC LIMIT 1;
    EXIT WHEN v_left = 0 OR v_priority IS NULL;
    SELECT count(*) INTO v_share FROM (
      SELECT FROM unnest(p_operations, v_rooms) AS o (name, room)
      JOIN durable.lane AS l ON l.operation = o.name
      WHERE l.look_at = 0 AND l.priority = v_priority AND (o.room IS NULL OR o.room > 0)
      LIMIT v_left
    ) AS each;
    v_share := (v_left + v_share - 1) / v_share;

    FOR v_lane IN
      SELECT l.name, l.operation, l.key, o.place, o.per_key, o.rate, o.period
      FROM unnest(p_operations, v_rooms, p_per_key, p_rates, p_periods)
        WITH ORDINALITY AS o (name, room, per_key, rate, period, place)
      CROSS JOIN LATERAL (
        SELECT name, operation, key, turn FROM durable.lane
        WHERE operation = o.name AND look_at = 0 AND priority = v_priority
        ORDER BY turn LIMIT v_left
      ) AS l
      WHERE o.room IS NULL OR o.room > 0
      ORDER BY l.turn, l.name LIMIT v_left
    LOOP
      v_most := least(v_share, v_left, v_rooms[v_lane.place]);
      CONTINUE WHEN v_most <= 0;
      SELECT min(due_at) INTO v_first FROM durable.live WHERE operation = v_lane.name;
      IF v_first IS NULL THEN
        DELETE FROM durable.lane WHERE name = v_lane.name;
        CONTINUE;
      ELSIF v_first > v_now THEN
        UPDATE durable.lane SET look_at = v_first, is_full = false WHERE name = v_lane.name;
        CONTINUE;
      END IF;

      -- What is past its deadline will not be worked on, so that it needs no place.
      v_late := ARRAY(
        SELECT id FROM durable.live
        WHERE operation = v_lane.name AND holder IS NULL AND operation < '!'
          AND deadline_at <= v_now AND due_at <= v_now
        ORDER BY deadline_at LIMIT v_most FOR UPDATE SKIP LOCKED
      );
      v_most := v_most - cardinality(v_late);
      v_free := v_most;
      v_is_full := false;
      IF v_lane.per_key IS NOT NULL THEN
        v_names := ARRAY(
          SELECT name FROM durable.lane WHERE operation = v_lane.operation AND key = v_lane.key
        );
        -- Out of its holder's hands for good, before its place is given to another. What its holder is
        -- just writing counts as held.
        UPDATE durable.live SET holder = NULL, lost_leases = lost_leases + 1
        WHERE id = ANY (ARRAY(
          SELECT id FROM durable.live
          WHERE operation = ANY (v_names) AND holder IS NOT NULL AND operation < '!' AND due_at <= v_now
          FOR UPDATE SKIP LOCKED
        ));
        SELECT v_lane.per_key - count(*) INTO v_free FROM durable.live
        WHERE operation = ANY (v_names) AND holder IS NOT NULL AND operation < '!';
        v_free := greatest(least(v_free, v_most), 0);
        v_is_full := v_free < v_most;
      END IF;
      IF v_lane.rate IS NOT NULL THEN
        DELETE FROM durable.start
        WHERE operation = v_lane.operation AND key = v_lane.key AND until <= v_now;
        SELECT v_lane.rate - coalesce(sum(count), 0) INTO v_first FROM durable.start
        WHERE operation = v_lane.operation AND key = v_lane.key AND at > v_now - v_lane.period;
        IF v_first < v_free THEN
          v_free := greatest(v_first, 0);
          v_is_full := false;
        END IF;
      END IF;
      v_due := ARRAY(
        SELECT id FROM durable.live
        WHERE operation = v_lane.name AND due_at <= v_now AND id <> ALL (v_late)
        ORDER BY due_at, id LIMIT v_free FOR UPDATE SKIP LOCKED
      );

      v_taken := v_late || v_due;
      UPDATE durable.live AS l SET
        lease = l.lease + 1,
        holder = p_holder,
        lost_leases = l.lost_leases + (l.holder IS NOT NULL)::int,
        due_at = CASE
          WHEN l.deadline_at > v_now THEN least(v_now + p_lease_ms, l.deadline_at)
          ELSE v_now + p_lease_ms
        END
      WHERE l.id = ANY (v_taken);
      IF v_lane.rate IS NOT NULL AND cardinality(v_due) > 0 THEN
        INSERT INTO durable.start AS s (operation, key, at, until, count)
        VALUES (v_lane.operation, v_lane.key, v_now, v_now + v_lane.period, cardinality(v_due))
        ON CONFLICT (operation, key, at) DO UPDATE SET
          count = s.count + excluded.count, until = greatest(s.until, excluded.until);
      END IF;
      v_ids := v_ids || v_taken;
      v_left := v_left - cardinality(v_taken);
      v_rooms[v_lane.place] := v_rooms[v_lane.place] - cardinality(v_taken);
      v_turn := v_turn + 1;

      IF cardinality(v_due) = v_most THEN
        -- To the end of the line.
        UPDATE durable.lane SET turn = v_turn WHERE name = v_lane.name;
        CONTINUE;
      END IF;
      SELECT min(due_at) INTO v_until FROM durable.live WHERE operation = v_lane.name;
      IF v_until <= v_now AND cardinality(v_due) < v_free THEN
        -- Others are writing what is left.
        v_until := v_now + 50;
        v_is_full := false;
      ELSIF v_until <= v_now THEN
        IF v_is_full THEN
          SELECT min(due_at) INTO v_until FROM durable.live
          WHERE operation = ANY (v_names) AND holder IS NOT NULL AND operation < '!';
        ELSE
          SELECT min(at) + v_lane.period INTO v_until FROM durable.start
          WHERE operation = v_lane.operation AND key = v_lane.key AND at > v_now - v_lane.period;
        END IF;
        SELECT least(v_until, min(deadline_at)) INTO v_until FROM durable.live
        WHERE operation = v_lane.name AND holder IS NULL AND operation < '!' AND deadline_at > v_now;
        -- A lease that ended and is being written was not taken from its holder.
        v_until := greatest(v_until, v_now + 1);
      ELSE
        v_is_full := false;
      END IF;
      UPDATE durable.lane SET turn = v_turn, look_at = coalesce(v_until, 0), is_full = v_is_full
      WHERE name = v_lane.name;
    END LOOP;
  END LOOP;

  SELECT min(greatest(l.look_at, v_now)) INTO v_until
  FROM unnest(p_operations, v_rooms) AS o (name, room)
  CROSS JOIN LATERAL (
    SELECT look_at FROM durable.lane WHERE operation = o.name ORDER BY look_at LIMIT 1
  ) AS l
  WHERE o.room IS NULL OR o.room > 0;
  RETURN QUERY SELECT v_now, v_until, array_to_string(v_ids, ','), EXISTS (
    SELECT FROM durable.lane WHERE operation = ANY (p_operations) AND is_full AND look_at > 0
  ), NULL::uuid, NULL, NULL, NULL::bigint, NULL::bigint, NULL, NULL, NULL::int, NULL, NULL::bigint,
    NULL::int, NULL, NULL::int, NULL::bigint, NULL, NULL;
  RETURN QUERY SELECT NULL::bigint, NULL::bigint, NULL, NULL::boolean,
    i.id, i.operation, i.owner, i.created_at, i.deadline_at, i.idempotency_key, i.fingerprint,
    l.seq, l.status, l.updated_at, l.lease, l.holder, l.lost_leases, l.due_at, l.state, i.input
  FROM durable.live AS l JOIN durable.intent AS i ON i.id = l.id
  WHERE l.id = ANY (v_ids);
END
$claim$`;
