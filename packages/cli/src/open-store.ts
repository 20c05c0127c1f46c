import type { Store } from '@durable-api/core';
import { sqliteStore } from '@durable-api/store-sqlite';
import type { Flag, Given } from './command.ts';
import { UsageError } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/** Flags of commands that work on a store. */
export const STORE_FLAGS: Readonly<Record<string, Flag>> = {
  store: {
    type: 'string',
    short: 's',
    value: 'URL',
    help: 'sqlite:FILE, postgres://… or redis://…; default: DURABLE_STORE',
  },
};

/** Stores of packages that are installed beside this one, with what makes one of a URL. */
const PACKAGES = {
  postgres: { name: '@durable-api/store-postgres', make: 'postgresStore', key: 'connectionString' },
  redis: { name: '@durable-api/store-redis', make: 'redisStore', key: 'url' },
} as const;

/** The URL of the store. @throws UsageError */
export function storeUrl(given: Given, { env }: Pick<Terminal, 'env'>): string {
  const url = given.text('store') ?? env['DURABLE_STORE'];
  if (url !== undefined && url !== '') return url;
  throw new UsageError('Name the store: --store sqlite:operations.db, or DURABLE_STORE.');
}

/** Opens the store at `url`; it is not migrated yet. @throws UsageError */
export async function openStore(url: string): Promise<Store> {
  const kind = /^(sqlite|postgres|redis)(?:ql|s)?:/.exec(url)?.[1];
  if (kind === 'sqlite') return sqliteStore(url.slice('sqlite:'.length));
  if (kind === 'postgres' || kind === 'redis') return openInstalled(PACKAGES[kind], url);
  throw new UsageError(`"${url}" is none of sqlite:FILE, postgres://… and redis://….`);
}

async function openInstalled(
  { name, make, key }: (typeof PACKAGES)[keyof typeof PACKAGES],
  url: string,
): Promise<Store> {
  const module: unknown = await import(name).catch((error: unknown) => {
    throw new UsageError(`Install ${name} to use ${url.split(':')[0]}: stores.`, { cause: error });
  });
  const create: unknown = Object(module)[make];
  const store: unknown = typeof create === 'function' ? create({ [key]: url }) : undefined;
  if (isStore(store)) return store;
  throw new UsageError(`The installed ${name} is of another version than this program.`);
}

function isStore(value: unknown): value is Store {
  return typeof value === 'object' && value !== null && 'claim' in value && 'migrate' in value;
}

/** Calls `work` with the migrated store, and closes it. */
export async function withStore<T>(url: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(url);
  try {
    await store.migrate();
    return await work(store);
  } finally {
    await store.close();
  }
}
