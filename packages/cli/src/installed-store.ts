import type { Logger, Store } from '@durable-api/core';
import { UsageError } from './exit-code.ts';

/** A store of a package that is installed beside this one. */
export interface InstalledStore {
  readonly kind: 'postgres' | 'redis';
  open(logger?: Logger): Store;
  /** The steps of its schema that are left to take; null for stores without a schema. */
  pendingMigrations(): Promise<readonly number[] | null>;
}

/** Finds the package for `url`. @throws UsageError when there is none, or it is not installed. */
export async function installedStore(url: string): Promise<InstalledStore> {
  if (/^postgres(ql)?:/.test(url)) return postgres(url);
  if (/^rediss?:/.test(url)) return redis(url);
  throw new UsageError(`"${url}" is none of sqlite:FILE, postgres://… and redis://….`);
}

async function postgres(url: string): Promise<InstalledStore> {
  const { postgresStore, pendingMigrations } = await import('@durable-api/store-postgres').catch(
    (error: unknown) => notInstalled('@durable-api/store-postgres', error),
  );
  const options = postgresOptions(url);
  return {
    kind: 'postgres',
    open: (logger) => postgresStore({ ...options, logger }),
    pendingMigrations: () => pendingMigrations(options),
  };
}

async function redis(url: string): Promise<InstalledStore> {
  const { redisStore } = await import('@durable-api/store-redis').catch((error: unknown) =>
    notInstalled('@durable-api/store-redis', error),
  );
  return {
    kind: 'redis',
    open: () => redisStore({ url }),
    pendingMigrations: () => Promise.resolve(null),
  };
}

interface PostgresOptions {
  readonly connectionString: string;
  readonly schema?: string;
  readonly acceptDurability?: 'process-crash';
}

/** Takes what is the store's out of the query, as the Redis store does; the rest is the client's. */
function postgresOptions(text: string): PostgresOptions {
  const url = URL.parse(text);
  if (url === null) throw new UsageError(`"${text}" is no URL.`);
  const schema = url.searchParams.get('schema');
  const accepted = url.searchParams.get('acceptDurability');
  if (accepted !== null && accepted !== 'process-crash') {
    throw new UsageError(`acceptDurability takes "process-crash", not "${accepted}".`);
  }
  url.searchParams.delete('schema');
  url.searchParams.delete('acceptDurability');
  return {
    connectionString: url.href,
    ...(schema !== null && { schema }),
    ...(accepted !== null && { acceptDurability: accepted }),
  };
}

function notInstalled(name: string, cause: unknown): never {
  throw new UsageError(`Install ${name} beside this program to use such stores.`, { cause });
}
