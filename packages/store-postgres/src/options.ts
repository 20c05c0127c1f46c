import { DurableError, type Clock, type Logger } from '@durable-api/core';
import type { PgPool } from './pg-pool.ts';

/** The options of {@link postgresStore}: either `pool` or `connectionString`. */
export interface PostgresStoreOptions {
  /** The app's own pool. The store takes one of its connections for good, to listen on. */
  readonly pool?: PgPool | undefined;
  /** Where the database is; the store makes a pool of its own and closes it. */
  readonly connectionString?: string | undefined;
  /** The schema that the tables are in; made by `migrate` if it is not there. Default `durable_api`. */
  readonly schema?: string | undefined;
  /**
   * Where to listen for wake-ups, when `pool` or `connectionString` lead to a pooler that cannot:
   * straight to Postgres. Default: the same.
   */
  readonly listenUrl?: string | undefined;
  /** Longest wait for a connection and for the answer to a statement, each. Default 5,000 ms. */
  readonly timeoutMs?: number | undefined;
  /**
   * Accepts a server that may lose acknowledged writes when it crashes: with `synchronous_commit`,
   * `fsync` or `full_page_writes` off. Default: such a server is refused.
   */
  readonly acceptDurability?: 'process-crash' | undefined;
  /** Told when LISTEN does not work. Default: silent. */
  readonly logger?: Logger | undefined;
  /** Timers of the store. Default: the machine's. */
  readonly clock?: Clock | undefined;
  /** Uniform in [0, 1). Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

const KEYS: ReadonlySet<string> = new Set([
  'pool',
  'connectionString',
  'schema',
  'listenUrl',
  'timeoutMs',
  'acceptDurability',
  'logger',
  'clock',
  'random',
] satisfies (keyof PostgresStoreOptions)[]);

/** @throws DurableError `options_invalid` naming what is wrong */
export function checkOptions(options: PostgresStoreOptions): void {
  const { pool, connectionString, schema, timeoutMs, acceptDurability } = options;
  const unknown = Object.keys(options).filter((key) => !KEYS.has(key));
  const wrong = [
    unknown.length > 0 && `unknown options: ${unknown.join(', ')}`,
    (pool === undefined) === (connectionString === undefined) &&
      'give either pool (a pg Pool) or connectionString (postgres://…)',
    pool !== undefined && typeof pool.connect !== 'function' && 'pool: must be a pg Pool',
    schema !== undefined &&
      (!/^[^\0]+$/.test(schema) || Buffer.byteLength(schema) > 63) &&
      `schema: must be a name of 1 to 63 bytes, received ${JSON.stringify(schema)}`,
    timeoutMs !== undefined &&
      !(Number.isInteger(timeoutMs) && timeoutMs >= 10) &&
      `timeoutMs: must be an integer of at least 10, received ${timeoutMs}`,
    acceptDurability !== undefined &&
      acceptDurability !== 'process-crash' &&
      `acceptDurability: must be 'process-crash', received ${JSON.stringify(acceptDurability)}`,
  ].filter((line) => line !== false);
  if (wrong.length === 0) return;
  throw new DurableError(
    'options_invalid',
    `Invalid postgresStore options:\n  ${wrong.join('\n  ')}`,
  );
}
