import { userInfo } from 'node:os';
import { Pool } from 'pg';

/** A database that tests may make schemas in. */
export interface TestDatabase {
  readonly url: string;
  /** For what tests do behind the store's back. */
  readonly pool: Pool;
  /** A schema of one test: its name, and what removes it. It is there only once a store makes it. */
  schema(): { readonly name: string; drop(): Promise<void> };
  /** Like `schema`, but it may be one that an earlier test has left empty, which is faster. */
  emptySchema(): { readonly name: string; drop(): Promise<void> };
  /** Removes everything that the tests of this file have left. */
  end(): Promise<void>;
}

/** What `DATABASE_URL` names, else `test` on the standard port of this machine. */
export const TEST_DATABASE_URL: string =
  process.env['DATABASE_URL'] ?? `postgres://${userInfo().username}@127.0.0.1:5432/test`;

/** That database. Without one the tests are skipped, loudly; with `CI=true` they fail. */
export async function findTestDatabase(): Promise<TestDatabase | null> {
  const url = TEST_DATABASE_URL;
  const pool = new Pool({ connectionString: url, max: 4 });
  pool.on('error', () => {});
  try {
    await pool.query('SELECT 1');
  } catch (error) {
    await pool.end();
    if (process.env['CI'] === 'true') throw new Error(`No Postgres at ${url}`, { cause: error });
    process.stderr.write(
      `SKIPPED: these tests need Postgres, and there is none at ${url}: ${String(error)}\n`,
    );
    return null;
  }
  return testDatabase(url, pool);
}

function testDatabase(url: string, pool: Pool): TestDatabase {
  const names = new Set<string>();
  const empty: string[] = [];
  const newName = (): string => {
    const name = `durable_test_${process.pid}_${Date.now().toString(36)}_${names.size}`;
    names.add(name);
    return name;
  };
  const drop = async (name: string): Promise<void> => {
    await pool.query(`DROP SCHEMA IF EXISTS "${name}" CASCADE`);
    names.delete(name);
  };
  return {
    url,
    pool,
    schema() {
      const name = newName();
      return { name, drop: () => drop(name) };
    },
    emptySchema() {
      const name = empty.pop() ?? newName();
      return {
        name,
        async drop() {
          const exists = await pool.query('SELECT to_regclass($1) AS found', [`${name}.intent`]);
          if (exists.rows[0].found === null) return drop(name);
          for (const table of ['intent', 'live', 'log', 'ended']) {
            await pool.query(`DELETE FROM ${name}.${table}`);
          }
          empty.push(name);
        },
      };
    },
    async end() {
      for (const name of names) await drop(name);
      await pool.end();
    },
  };
}
