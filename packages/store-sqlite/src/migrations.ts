import { sql as first } from './migrations/001.ts';
import { sql as second } from './migrations/002.ts';
import { sql as third } from './migrations/003.ts';
import { sql as fourth } from './migrations/004.ts';
import { sql as fifth } from './migrations/005.ts';
import { sql as sixth } from './migrations/006.ts';

/** A step of the schema. */
export interface Migration {
  readonly number: number;
  /** Whether a process that does not know this step must not use the file any more. */
  readonly isBreaking: boolean;
  readonly sql: string;
}

/** All steps in their order. Steps are only ever added. */
export const MIGRATIONS: readonly Migration[] = [
  { number: 1, isBreaking: true, sql: first },
  { number: 2, isBreaking: false, sql: second },
  { number: 3, isBreaking: false, sql: third },
  { number: 4, isBreaking: false, sql: fourth },
  { number: 5, isBreaking: false, sql: fifth },
  { number: 6, isBreaking: false, sql: sixth },
];
