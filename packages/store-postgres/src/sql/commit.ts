import { sql } from './sql.ts';

/** What is added to a statement for what only some batches have. */
interface Added {
  readonly lane: string;
  readonly columns: string;
  readonly names: string;
  readonly changes: string;
}

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
const write = ({ lane, columns, names, changes }: Added): string => sql`
WITH request AS (
  SELECT * FROM unnest(
    $1::uuid[], $2::int[], $3::int[], $4::int[], $5::text[], $6::bigint[], $7::boolean[], $8::boolean[],
    $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::int[], $14::text[], $15::bytea[]${columns}
  ) AS r (
    id, expected_seq, expected_lease, seq, status, updated_at, cancel_requested, released,
    due_at, keyed_at, state, events, result_status, result_headers, result_body${names}
  )
  LIMIT (SELECT cardinality($1::uuid[]))
),
held AS MATERIALIZED (
  SELECT r.*, l.*
  FROM request AS r CROSS JOIN LATERAL (
    SELECT lease, lost_leases${lane} FROM durable.live
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
    due_at = CASE WHEN h.released THEN h.due_at ELSE l.due_at END${changes}
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
)`;

/** What a batch has beside the changes; each costs those who have it, and nobody else. */
export interface CommitParts {
  /** Inputs that are replaced, live keys that are given up while their intents go on, and notes. */
  readonly hasExtras: boolean;
  /** Intents with keys: that they give up their lease is news for who waits in their lane. */
  readonly hasKeys: boolean;
}

/** Two more columns, and three of notes, which have one row per note. */
const EXTRAS: Omit<Added, 'lane'> = {
  columns: ', $16::text[], $17::boolean[]',
  names: ', input, frees_live_key',
  changes: `,
    live_key = CASE WHEN h.frees_live_key THEN NULL ELSE l.live_key END`,
};
const NO_EXTRAS: Omit<Added, 'lane'> = { columns: '', names: '', changes: '' };

const REPLACED_AND_NOTED: string = sql`,
replaced AS (
  UPDATE durable.intent AS i SET input = h.input
  FROM held AS h
  WHERE i.id = h.id AND h.input IS NOT NULL
),
noted AS (
  INSERT INTO durable.note (id, key, value)
  SELECT n.id, n.key, n.value
  FROM unnest($18::uuid[], $19::text[], $20::text[]) AS n (id, key, value) JOIN held AS h ON h.id = n.id
  ON CONFLICT (id, key) DO UPDATE SET value = excluded.value
)`;

const TOUCHED: string = sql`,
touched AS (
  INSERT INTO durable.touched (lane)
  SELECT DISTINCT lane FROM held WHERE released AND lane < '!' COLLATE "C"
)`;

const STATEMENTS: readonly string[] = [0, 1, 2, 3].map((parts) => {
  const [extras, keys] = [parts % 2 === 1, parts >= 2];
  const lane = keys ? ', operation AS lane' : '';
  const changes = write({ lane, ...(extras ? EXTRAS : NO_EXTRAS) });
  return sql`${changes}${extras ? REPLACED_AND_NOTED : ''}${keys ? TOUCHED : ''}
SELECT id FROM held`;
});

/** The statement for a batch with these parts. */
export function commitStatement({ hasExtras, hasKeys }: CommitParts): string {
  return STATEMENTS[(hasExtras ? 1 : 0) + (hasKeys ? 2 : 0)] ?? '';
}

/** The events of the commits that end at the given numbers, to recognise a repeated commit. */
export const FIND_COMMITTED: string = sql`
SELECT r.n, c.events
FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS r (id, seq, n)
CROSS JOIN LATERAL (
  SELECT events FROM durable.log WHERE id = r.id AND seq = r.seq
  UNION ALL
  SELECT events FROM durable.ended WHERE id = r.id AND seq = r.seq
) AS c`;
