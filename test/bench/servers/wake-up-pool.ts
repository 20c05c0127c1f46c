import type { PostgresStoreOptions } from '@durable-api/store-postgres';
import { Pool } from 'pg';

type PgPool = NonNullable<PostgresStoreOptions['pool']>;

type Query = Parameters<Awaited<ReturnType<PgPool['connect']>>['query']>[0];

/**
 * A pool whose clients send the wake-ups of writes, or drop them, so that a bench can tell what these
 * cost. All else is the same: also what drops them hears others, and tests whether it does.
 */
export function wakeUpPool(connectionString: string, drops: boolean): PgPool {
  const pool = new Pool({ connectionString, max: 8 });
  return {
    async connect() {
      const client = await pool.connect();
      return Object.assign(Object.create(client), {
        release: (destroy?: boolean) => client.release(destroy),
        async query(query: Query) {
          return drops && isWakeUp(query) ? { rows: [] } : client.query(query);
        },
      });
    },
  };
}

/** Whether it notifies others of a write, and not of who is there, nor this process of itself. */
function isWakeUp({ text, values = [] }: Query): boolean {
  return text.includes('pg_notify') && !/pg_locks|advisory/.test(text) && values[1] !== '';
}
