export type { SqliteHandle } from './sqlite-handle.ts';
export { sqliteStore } from './sqlite-store.ts';
export { pendingMigrations } from './pending-migrations.ts';
