import type { Store } from '@durable-api/core';
import { sqliteStore } from '@durable-api/store-sqlite';
import { onTestFinished } from 'vitest';

/** A migrated store on `path`, closed when the test has ended. */
export async function openStore(path: string): Promise<Store> {
  const store = sqliteStore(path);
  onTestFinished(() => store.close());
  await store.migrate();
  return store;
}
