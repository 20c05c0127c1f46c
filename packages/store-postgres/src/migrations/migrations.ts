import { CREATE_TABLES } from '../sql/tables.ts';
import type { Migration } from './migration.ts';

/** All steps that this version knows, in order. */
export const MIGRATIONS: readonly Migration[] = [
  { number: 1, isBreaking: true, statements: [CREATE_TABLES] },
];
