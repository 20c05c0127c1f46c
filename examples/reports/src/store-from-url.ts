import { memoryStore, type Store } from '@durable-api/core';
import { postgresStore } from '@durable-api/store-postgres';
import { redisStore } from '@durable-api/store-redis';
import { sqliteStore } from '@durable-api/store-sqlite';

/** The store that `STORE` names: `sqlite:./operations.db`, `postgres://…`, `redis://…` or `memory:`. */
export function storeFromUrl(url: string): Store {
  if (url === 'memory:') return memoryStore();
  if (url.startsWith('sqlite:')) return sqliteStore(url.slice('sqlite:'.length));
  if (/^postgres(ql)?:/.test(url)) return postgresStore({ connectionString: url });
  if (/^rediss?:/.test(url)) return redisStore({ url });
  const known = 'sqlite:./operations.db, postgres://…, redis://… or memory:';
  throw new Error(`STORE takes ${known}, received "${url}".`);
}
