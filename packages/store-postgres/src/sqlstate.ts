/** What an error of Postgres means for whoever waits for the statement. */
export interface Fault {
  /** The name that Postgres' documentation gives the SQLSTATE. */
  readonly name: string;
  /** `full`: no space; `lost`: the connection is gone; `conflict`: nothing was done, try again now. */
  readonly kind: 'full' | 'lost' | 'conflict' | 'refused';
  readonly retryAfterSeconds: number;
  /** What to do about it. */
  readonly advice: string;
}

const RECONNECT = 'The connection was lost; it is made anew by itself.';
const RESTART = 'The server is restarting; nothing needs to be done here.';
const FREE_SPACE = 'Free or add disk space; writes go on by themselves then.';
const CONNECTIONS =
  'Raise max_connections, put a PgBouncer in front, or give the pools a lower max.';
const CREDENTIALS = 'Check the user, the password and pg_hba.conf.';
const MIGRATE =
  'The schema is not as this version needs it: run its migration, or grant its rights.';

function fault(
  name: string,
  kind: Fault['kind'],
  retryAfterSeconds: number,
  advice: string,
): Fault {
  return { name, kind, retryAfterSeconds, advice };
}

/** The SQLSTATEs that a store meets in its life, by name. */
const FAULTS: Readonly<Record<string, Fault>> = {
  '08000': fault('connection_exception', 'lost', 1, RECONNECT),
  '08001': fault('sqlclient_unable_to_establish_sqlconnection', 'lost', 2, RECONNECT),
  '08003': fault('connection_does_not_exist', 'lost', 1, RECONNECT),
  '08004': fault('sqlserver_rejected_establishment_of_sqlconnection', 'lost', 5, CREDENTIALS),
  '08006': fault('connection_failure', 'lost', 1, RECONNECT),
  '08P01': fault('protocol_violation', 'lost', 1, RECONNECT),
  // A plan that was made before the schema changed, and a statement that the session has forgotten: the
  // next connection prepares it anew.
  '0A000': fault('feature_not_supported', 'conflict', 5, MIGRATE),
  '26000': fault('invalid_sql_statement_name', 'conflict', 1, 'It is prepared anew.'),
  '23505': fault('unique_violation', 'conflict', 1, 'Nothing was written; try again.'),
  '25006': fault(
    'read_only_sql_transaction',
    'lost',
    2,
    'The server is a replica or read-only: connect to the primary (target_session_attrs=read-write).',
  ),
  '28000': fault('invalid_authorization_specification', 'refused', 10, CREDENTIALS),
  '28P01': fault('invalid_password', 'refused', 10, CREDENTIALS),
  '3D000': fault('invalid_catalog_name', 'refused', 10, 'Create the database.'),
  '3F000': fault('invalid_schema_name', 'refused', 10, MIGRATE),
  '40001': fault('serialization_failure', 'conflict', 1, 'Nothing was written; try again.'),
  '40003': fault('statement_completion_unknown', 'lost', 1, RECONNECT),
  '40P01': fault('deadlock_detected', 'conflict', 1, 'Nothing was written; try again.'),
  '42501': fault('insufficient_privilege', 'refused', 10, MIGRATE),
  '42703': fault('undefined_column', 'refused', 10, MIGRATE),
  '42P01': fault('undefined_table', 'refused', 10, MIGRATE),
  '53000': fault('insufficient_resources', 'refused', 5, 'Give the server more resources.'),
  '53100': fault('disk_full', 'full', 30, FREE_SPACE),
  '53200': fault('out_of_memory', 'refused', 5, 'Give the server more memory.'),
  '53300': fault('too_many_connections', 'refused', 2, CONNECTIONS),
  '53400': fault('configuration_limit_exceeded', 'refused', 5, 'Raise the limit that it names.'),
  '55P03': fault('lock_not_available', 'refused', 1, 'Something holds a lock on the tables.'),
  '57014': fault('query_canceled', 'refused', 1, 'Raise statement_timeout, or look for locks.'),
  '57P01': fault('admin_shutdown', 'lost', 1, RESTART),
  '57P02': fault('crash_shutdown', 'lost', 2, RESTART),
  '57P03': fault('cannot_connect_now', 'lost', 2, RESTART),
  '57P04': fault('database_dropped', 'refused', 10, 'Create the database.'),
  '57P05': fault('idle_session_timeout', 'lost', 1, RECONNECT),
  '58000': fault('system_error', 'refused', 5, "See the server's log."),
  '58030': fault('io_error', 'refused', 5, "The server's disk fails: see its log."),
};

/** The errors of sockets and name lookups that mean a lost connection. */
const SOCKET_CODES: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** What pg says, without a code, when a connection breaks or cannot be had. */
const LOST_MESSAGE = /connection (?:terminated|ended|error|timeout)|timeout expired|not queryable/i;

const LOST = fault('connection_lost', 'lost', 1, RECONNECT);
const UNKNOWN = fault('unexpected error', 'refused', 5, 'See the cause.');

/** What `error`, thrown by pg or by a socket, means. */
export function faultOf(error: unknown): Fault {
  if (!(error instanceof Error)) return UNKNOWN;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const known = FAULTS[code];
  if (known !== undefined) return known;
  return SOCKET_CODES.has(code) || LOST_MESSAGE.test(error.message) ? LOST : UNKNOWN;
}
