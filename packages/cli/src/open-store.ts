import { existsSync } from 'node:fs';
import { DurableApi, versionedStore, type Logger, type Store } from '@durable-api/core';
import { sqliteStore } from '@durable-api/store-sqlite';
import type { Flag, Given } from './command.ts';
import { UsageError } from './exit-code.ts';
import { installedStore } from './installed-store.ts';
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

/** The URL of a store that is there already: a mistyped path makes no file. @throws UsageError */
export function storeUrl(given: Given, terminal: Pick<Terminal, 'env'>): string {
  const url = newStoreUrl(given, terminal);
  const path = sqlitePath(url);
  if (path === null || existsSync(path)) return url;
  throw new UsageError(
    `There is no file ${path}. Name the one that the server writes, or make it: ` +
      `durable migrate --store ${url}`,
  );
}

/** The URL of the store, which may have to be made. @throws UsageError */
export function newStoreUrl(given: Given, { env }: Pick<Terminal, 'env'>): string {
  const url = given.text('store') ?? env['DURABLE_STORE'];
  if (url !== undefined && url !== '') return url;
  throw new UsageError('Name the store: --store sqlite:operations.db, or DURABLE_STORE.');
}

/** The path of a `sqlite:` URL; null of any other. */
export function sqlitePath(url: string): string | null {
  return url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : null;
}

/** Opens the store at `url`; it is not migrated yet. @throws UsageError */
export async function openStore(url: string, logger?: Logger): Promise<Store> {
  const path = sqlitePath(url);
  return versionedStore(
    path === null ? (await installedStore(url)).open(logger) : sqliteStore(path),
  );
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

/** Calls `work` with a durable API on the store that was given, which runs nothing. */
export async function withIntents<T>(
  given: Given,
  terminal: Terminal,
  work: (api: DurableApi) => Promise<T>,
): Promise<T> {
  await using api = new DurableApi({
    store: await openStore(storeUrl(given, terminal)),
    worker: false,
  });
  await api.ready();
  return await work(api);
}
