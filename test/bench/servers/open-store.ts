import { memoryStore, type Store } from '@durable-api/core';
import { postgresStore } from '@durable-api/store-postgres';
import { redisStore } from '@durable-api/store-redis';
import { sqliteStore } from '@durable-api/store-sqlite';
import { wakeUpPool } from './wake-up-pool.ts';

/** The store that a bench asks for: `STORE`, at `STORE_URL` or, for SQLite, in `STORE_FILE`. */
export function openStore(): Store {
  const { STORE = 'sqlite', STORE_FILE = '', STORE_URL = '', WAKE_UPS } = process.env;
  switch (STORE) {
    case 'memory':
      return memoryStore();
    case 'postgres':
      return WAKE_UPS === undefined
        ? postgresStore({ connectionString: STORE_URL })
        : postgresStore({ pool: wakeUpPool(STORE_URL, WAKE_UPS === 'dropped') });
    case 'redis':
      return redisStore({ url: STORE_URL });
    default:
      return sqliteStore(STORE_FILE);
  }
}
