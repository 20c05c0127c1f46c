/**
 * One step of the schema. Steps are numbered without a gap, run in one transaction, and are never
 * changed once released. They must not lock a live table for long: an index on one is built
 * CONCURRENTLY by hand before, and a column is added without a default that rewrites the table.
 */
export interface Migration {
  readonly number: number;
  /** Whether processes that do not know this step must not work on the schema any more. */
  readonly isBreaking: boolean;
  readonly statements: readonly string[];
}
