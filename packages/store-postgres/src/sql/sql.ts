/**
 * Marks a string constant as SQL. In it the word `durable` stands for the schema that the store was given;
 * {@link inSchema} puts that in, once per store.
 */
export function sql(strings: TemplateStringsArray, ...fragments: readonly string[]): string {
  return String.raw({ raw: strings }, ...fragments);
}

/** The statement with the tables of `schema`, which may have any name that Postgres accepts. */
export function inSchema(statement: string, schema: string): string {
  return statement.replaceAll(/\bdurable\b/g, () => `"${schema.replaceAll('"', '""')}"`);
}

/**
 * The server's time in ms since the epoch. It is the same throughout one statement, and never later
 * than the moment at which the statement looks at a row.
 */
export const NOW: string = '(floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint)';
