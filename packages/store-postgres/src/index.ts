export { postgresStore } from './postgres-store.ts';
export type { PostgresStoreOptions } from './options.ts';
export type { PgClient, PgPool, PgQuery } from './pg-pool.ts';
