import { DurableError } from '../errors.ts';

/**
 * A whole number of a query string; null when absent.
 * @throws DurableError `query_invalid` when it is anything else.
 */
export function queryNumber(query: string, name: string): number | null {
  if (!query.includes(name)) return null;
  const value = new URLSearchParams(query).get(name);
  if (value === null) return null;
  if (!/^\d{1,15}$/.test(value)) {
    throw new DurableError(
      'query_invalid',
      `"${name}" takes a whole number, for instance ${name}=0.`,
    );
  }
  return Number(value);
}
