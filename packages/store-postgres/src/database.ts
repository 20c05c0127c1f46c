import { createHash } from 'node:crypto';
import type { Clock } from '@durable-api/core';
import { AS_TEXT, type PgClient, type PgPool, type PgQuery } from './pg-pool.ts';
import { inSchema } from './sql/sql.ts';
import { faultOf } from './sqlstate.ts';
import { toStoreError } from './store-error.ts';
import { takeClient } from './take-client.ts';
import { within } from './within.ts';

/** One row of a result, as Postgres writes its values in text. */
export type Row = readonly (string | null)[];

/** A value of a parameter; a buffer goes out in binary. */
export type Value = string | number | Buffer | null;

/** What a statement gave. */
export interface Answer {
  readonly rows: readonly Row[];
  /**
   * Whether the statement was sent twice since the first connection broke under it: then what it wrote
   * may have been there already, by its own hand.
   */
  readonly isRepeated: boolean;
}

/** What a database is made of. */
export interface DatabaseSetup {
  readonly pool: PgPool;
  readonly schema: string;
  /** Longest wait for a connection and for the answer to a statement, each. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** How often a statement that met a conflict is sent again. */
const MAX_CONFLICTS = 3;

/** A statement with the names of the schema; with a name it is prepared. */
type Sent = Pick<PgQuery, 'text' | 'name'>;
type Statement = Required<Sent>;

/**
 * Runs statements on a pool, one round trip each. Some are prepared once per connection where that is
 * known to be possible; all else is unnamed, which a PgBouncer in transaction mode needs. All
 * statements of the store may be repeated: one whose connection breaks is sent once more at once, so
 * that a restarted server or pooler costs nobody anything.
 */
export class Database {
  readonly schema: string;
  readonly #setup: DatabaseSetup;
  readonly #statements = new Map<string, Statement>();
  #isDirect = false;

  constructor(setup: DatabaseSetup) {
    this.#setup = setup;
    this.schema = setup.schema;
  }

  /** The text of a statement with the names of this schema. */
  text(statement: string): string {
    return this.#inSchema(statement).text;
  }

  /** The pool leads to the server itself: a connection is the same session from first to last. */
  noteDirect(): void {
    this.#isDirect = true;
  }

  /** Runs one statement. @throws DurableError `store_unavailable` or `store_full` */
  async run(statement: string, values?: readonly Value[]): Promise<Answer> {
    try {
      return await this.#repeated({ text: this.text(statement) }, values ?? []);
    } catch (error) {
      throw toStoreError(error);
    }
  }

  /**
   * Like {@link run}, for what runs all the time: planning it takes as long as doing it. The plan must be
   * good whatever the values are.
   */
  async runPrepared(statement: string, values: readonly Value[]): Promise<Answer> {
    const { text, name } = this.#inSchema(statement);
    try {
      return await this.#repeated(this.#isDirect ? { text, name } : { text }, values);
    } catch (error) {
      throw toStoreError(error);
    }
  }

  /** Calls `body` in a transaction on one connection. @throws DurableError like {@link run} */
  async transaction<T>(body: (run: Database['run']) => Promise<T>): Promise<T> {
    try {
      return await this.#withClient(async (client) => {
        const run: Database['run'] = async (statement, values) => {
          const rows = await this.#query(client, { text: this.text(statement) }, values ?? []);
          return { rows, isRepeated: false };
        };
        await run('BEGIN');
        const result = await body(run);
        await run('COMMIT');
        return result;
      });
    } catch (error) {
      throw toStoreError(error);
    }
  }

  async #repeated(what: Sent, values: readonly Value[]): Promise<Answer> {
    let isRepeated = false;
    for (let conflicts = 0; ;) {
      try {
        const rows = await this.#withClient((client) => this.#query(client, what, values));
        return { rows, isRepeated };
      } catch (error) {
        const { kind } = faultOf(error);
        if (kind === 'conflict' && conflicts < MAX_CONFLICTS) conflicts += 1;
        else if (kind === 'lost' && !isRepeated) isRepeated = true;
        else throw error;
      }
    }
  }

  async #withClient<T>(work: (client: PgClient) => Promise<T>): Promise<T> {
    const { pool, timeoutMs, clock } = this.#setup;
    const client = await takeClient(pool, timeoutMs, clock);
    let isBroken = false;
    // Without a listener a connection that breaks here would take the process down.
    const onError = (): void => {
      isBroken = true;
    };
    client.on('error', onError);
    try {
      return await work(client);
    } catch (error) {
      // After an error nobody knows in what state the connection is; a new one is cheap.
      isBroken = true;
      throw error;
    } finally {
      client.removeListener('error', onError);
      client.release(isBroken);
    }
  }

  #inSchema(statement: string): Statement {
    const known = this.#statements.get(statement);
    if (known !== undefined) return known;
    const text = inSchema(statement, this.schema);
    // By its text, since others may prepare statements on the connections of this pool too.
    const digest = createHash('sha1').update(text).digest('base64url');
    const made = { text, name: `durable_${digest}` };
    this.#statements.set(statement, made);
    return made;
  }

  async #query(client: PgClient, what: Sent, values: readonly Value[]): Promise<Row[]> {
    const query: PgQuery = { ...AS_TEXT, ...what, values: [...values] };
    const { timeoutMs, clock } = this.#setup;
    const { rows = [] } = await within(timeoutMs, clock, 'a statement', client.query(query));
    return rows.map(toRow);
  }
}

function toRow(row: unknown[]): Row {
  return row.map((value) => (typeof value === 'string' ? value : null));
}
