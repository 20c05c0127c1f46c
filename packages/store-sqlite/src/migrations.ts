import { sql as first } from './migrations/001.ts';

/** A step of the schema. */
export interface Migration {
  readonly number: number;
  /** Whether a process that does not know this step must not use the file any more. */
  readonly isBreaking: boolean;
  readonly sql: string;
}

/** All steps in their order. Steps are only ever added. */
export const MIGRATIONS: readonly Migration[] = [{ number: 1, isBreaking: true, sql: first }];
