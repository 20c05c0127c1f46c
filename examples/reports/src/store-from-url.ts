import { memoryStore, type Store } from '@durable-api/core';
import { sqliteStore } from '@durable-api/store-sqlite';

/** The store that `STORE` names: `sqlite:./operations.db` or `memory:`. */
export function storeFromUrl(url: string): Store {
  if (url === 'memory:') return memoryStore();
  if (url.startsWith('sqlite:')) return sqliteStore(url.slice('sqlite:'.length));
  throw new Error(`STORE takes sqlite:./operations.db or memory:, received "${url}".`);
}
