/**
 * The first schema: intents with what changes, and a log with one row per commit. A lease that is given
 * back, or taken from the dead, is a row too, without events and with the intent's number negated, so that others notice it.
 */
export const sql = `
CREATE TABLE intents (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  operation TEXT NOT NULL,
  owner TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  deadline_at INTEGER,
  idempotency_key TEXT,
  fingerprint TEXT,
  seq INTEGER NOT NULL,
  status TEXT NOT NULL,
  waiting_reason TEXT,
  updated_at INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  cancel_requested_at INTEGER,
  progress TEXT,
  error TEXT,
  lease INTEGER NOT NULL,
  holder TEXT,
  lost_leases INTEGER NOT NULL,
  due_at INTEGER
) STRICT;
CREATE UNIQUE INDEX intents_by_key ON intents (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX intents_due ON intents (operation, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX intents_held ON intents (holder) WHERE holder IS NOT NULL;
CREATE INDEX intents_ended ON intents (updated_at) WHERE due_at IS NULL;

CREATE TABLE log (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  intent INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  origin INTEGER NOT NULL,
  events TEXT NOT NULL,
  input TEXT,
  result_head TEXT,
  result_body BLOB
) STRICT;
CREATE UNIQUE INDEX log_by_intent ON log (intent, last_seq);

CREATE TABLE holders (
  holder TEXT PRIMARY KEY,
  live TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;
