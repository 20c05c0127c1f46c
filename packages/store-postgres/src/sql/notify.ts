import { sql } from './sql.ts';

/** Sends the payload $2 to whoever listens on the channel $1. */
export const NOTIFY: string = sql`SELECT pg_notify($1::text, $2::text)`;

/**
 * A wake-up may be lost in a crash of the server, so it need not wait for the disk. Only for the one
 * connection that listens and writes nothing else.
 */
export const DO_NOT_WAIT_FOR_DISK: string = sql`SET synchronous_commit = off`;

/** Listens on a channel; names cannot be parameters. */
export function listenTo(channel: string): string {
  return sql`LISTEN "${channel.replaceAll('"', '""')}"`;
}
