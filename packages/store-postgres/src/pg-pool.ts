/** One statement as `pg` takes it. */
export interface PgQuery {
  /** With a name the server keeps the statement, parsed and planned, for this connection. */
  name?: string;
  text: string;
  values?: unknown[];
  rowMode: 'array';
  types: { getTypeParser(): (value: string) => string };
}

/** Values as Postgres writes them, in lists, whatever parsers the app has set for its own queries. */
export const AS_TEXT: Pick<PgQuery, 'rowMode' | 'types'> = {
  rowMode: 'array',
  types: { getTypeParser: () => (value) => value },
};

/** What the store needs of a client that it took from a pool; a `pg` PoolClient is one. */
export interface PgClient {
  /** There are no rows when the text has several statements. */
  query(query: PgQuery): Promise<{ readonly rows?: unknown[][] }>;
  /** Gives it back; with true it is closed. */
  release(destroy?: boolean): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  on(
    event: 'notification',
    listener: (notification: { channel: string; payload?: string | undefined }) => void,
  ): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
}

/** What the store needs of a pool; a `pg` Pool is one, also with a `Client` of your own. */
export interface PgPool {
  connect(): Promise<PgClient>;
}
