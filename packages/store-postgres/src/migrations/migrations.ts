import { CREATE_CLAIM_KEYED, CREATE_LANES } from '../sql/lanes.ts';
import { CREATE_LIVE_KEY, CREATE_NOTES, CREATE_TABLES } from '../sql/tables.ts';
import type { Migration } from './migration.ts';

/** All steps that this version knows, in order. */
export const MIGRATIONS: readonly Migration[] = [
  { number: 1, isBreaking: true, statements: [CREATE_TABLES] },
  { number: 2, isBreaking: false, statements: [CREATE_NOTES] },
  { number: 3, isBreaking: false, statements: [CREATE_LANES, CREATE_CLAIM_KEYED] },
  { number: 4, isBreaking: false, statements: [CREATE_LIVE_KEY] },
];
