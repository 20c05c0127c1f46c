import { sql } from './sql.ts';

/** What a server must be and do; read once, before anything else. */
export const SERVER: string = sql`
SELECT
  current_setting('server_version_num'),
  current_setting('synchronous_commit'),
  current_setting('fsync'),
  current_setting('full_page_writes'),
  pg_is_in_recovery()`;

/** Whether the schema and its table of migrations are there; needs no rights. */
export const IS_THERE: string = sql`
SELECT n.oid IS NOT NULL, c.oid IS NOT NULL
FROM (VALUES ($1::text)) AS wanted (name)
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = wanted.name
LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'migration'`;

/** The steps that were applied. */
export const APPLIED: string = sql`SELECT number, breaking FROM durable.migration`;

/** Lets one process at a time migrate this schema; ends with the transaction. */
export const LOCK_MIGRATIONS: string = sql`
SELECT pg_advisory_xact_lock(hashtextextended('durable_api migration of ' || $1::text, 0))`;

/** A migration gives up instead of holding up everybody behind its wait for a table. */
export const LIMIT_LOCKS: string = sql`SET LOCAL lock_timeout = '3s'`;

export const CREATE_SCHEMA: string = sql`CREATE SCHEMA durable`;

export const NOTE_APPLIED: string = sql`
INSERT INTO durable.migration (number, breaking) VALUES ($1::int, $2::boolean)`;
