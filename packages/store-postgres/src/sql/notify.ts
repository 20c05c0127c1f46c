import { sql } from './sql.ts';

/**
 * A wake-up may be lost in a crash of the server, so it need not wait for the disk. For this one
 * transaction only: a pooler hands the connection on to others, whose writes must wait.
 */
const DO_NOT_WAIT_FOR_DISK = sql`set_config('synchronous_commit', 'off', true)`;

/** Sends the payload $2 to whoever listens on the channel $1. */
export const NOTIFY: string = sql`
SELECT ${DO_NOT_WAIT_FOR_DISK}, pg_notify($1::text, $2::text)`;

/** Listens on a channel; names cannot be parameters. */
export function listenTo(channel: string): string {
  return sql`LISTEN "${channel.replaceAll('"', '""')}"`;
}

/** The first halves of the keys of advisory locks: of who listens, and of who watches those. */
const PRESENCE = '1685418337';
const WATCH = '1685418338';

/**
 * Counts this connection among those that listen to the channel $1 of the schema $3, until it ends, and
 * sends them the payload $2 with the number of its process.
 */
export const BE_PRESENT: string = sql`
SELECT ${DO_NOT_WAIT_FOR_DISK}, pg_advisory_lock_shared(${PRESENCE}, hashtext($3::text)),
  pg_notify($1::text, $2::text || pg_backend_pid())`;

/** Whether this connection watches the schema $1 from now on, until it ends. */
export const STAND: string = sql`SELECT pg_try_advisory_lock(${WATCH}, hashtext($1::text))`;

/** Sends the payload $2 to the channel $1, and gives the processes that listen for the schema $3. */
export const BEAT: string = sql`
SELECT ${DO_NOT_WAIT_FOR_DISK}, pg_notify($1::text, $2::text), array_to_string(ARRAY(
  SELECT pid FROM pg_locks
  WHERE locktype = 'advisory' AND classid = ${PRESENCE}::oid AND objsubid = 2
    AND objid = (hashtext($3::text)::bigint & 4294967295)::oid
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
), ',')`;
