import { sql } from './sql.ts';

/** Which migrations this schema has seen. Reads of it need no other right than SELECT. */
export const CREATE_MIGRATION_TABLE: string = sql`
CREATE TABLE durable.migration (
  number int PRIMARY KEY,
  breaking boolean NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)`;

/**
 * Four tables. Only `live` is ever updated, and it holds no more than the intents that have not
 * ended; the other three are written once per row. So the dead row versions of a busy store lie in a
 * small table with two small indexes, where vacuum finds them at once, and not among the history.
 *
 * All instants are ms since the epoch. `events` are lines of "type json"; `seq` is the number of
 * the last of them. `state` is JSON: what of the record no statement needs to look at. Payloads are
 * text and bytea, since jsonb would refuse some and reorder others.
 */
export const CREATE_TABLES: string = sql`
CREATE TABLE durable.intent (
  id uuid PRIMARY KEY,
  operation text COLLATE "C" NOT NULL,
  owner text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL,
  deadline_at bigint,
  idempotency_key text COLLATE "C",
  fingerprint text,
  seq int NOT NULL,
  events text NOT NULL,
  input text NOT NULL
);
COMMENT ON TABLE durable.intent IS 'What was asked: one row per intent, written once';
CREATE UNIQUE INDEX intent_idempotency ON durable.intent (idempotency_key)
  WHERE idempotency_key IS NOT NULL;
CREATE INDEX intent_owner ON durable.intent (owner, id) WHERE owner <> '';

CREATE TABLE durable.live (
  id uuid PRIMARY KEY,
  operation text COLLATE "C" NOT NULL,
  due_at bigint NOT NULL,
  deadline_at bigint,
  seq int NOT NULL,
  status text NOT NULL,
  updated_at bigint NOT NULL,
  cancel_requested boolean NOT NULL,
  lease int NOT NULL,
  holder text,
  lost_leases int NOT NULL,
  state text NOT NULL
) WITH (
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 5000
);
COMMENT ON TABLE durable.live IS 'Where intents are that have not ended: the only rows that change';
CREATE INDEX live_due ON durable.live (operation, due_at);

CREATE TABLE durable.log (
  id uuid NOT NULL,
  seq int NOT NULL,
  events text NOT NULL,
  PRIMARY KEY (id, seq)
);
COMMENT ON TABLE durable.log IS 'The events of each commit between submit and end, written once';

CREATE TABLE durable.ended (
  id uuid PRIMARY KEY,
  seq int NOT NULL,
  status text NOT NULL,
  updated_at bigint NOT NULL,
  keyed_at bigint,
  lease int NOT NULL,
  lost_leases int NOT NULL,
  state text NOT NULL,
  events text NOT NULL,
  result_status int,
  result_headers text,
  result_body bytea
);
COMMENT ON TABLE durable.ended IS 'How intents ended, with their last events: one row each, written once';
CREATE INDEX ended_updated ON durable.ended (updated_at);
`;

/** What intents remember: see `Note` of core. */
export const CREATE_NOTES: string = sql`
CREATE TABLE durable.note (
  id uuid NOT NULL,
  key text COLLATE "C" NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (id, key)
);
COMMENT ON TABLE durable.note IS 'What handlers remember between their attempts, and signals'`;

/** What no other intent that has not ended may have. It goes with the row of `live`. */
export const CREATE_LIVE_KEY: string = sql`
ALTER TABLE durable.live ADD COLUMN live_key text COLLATE "C";
CREATE UNIQUE INDEX live_key ON durable.live (live_key) WHERE live_key IS NOT NULL`;
