import { MAX_ADDRESS } from '../addresses/address.ts';
import { invalid } from './errors.ts';
import { isObject, type JsonObject } from './json.ts';

/** A member by any of its names; null counts as absent. */
export function field(body: JsonObject, ...names: readonly string[]): unknown {
  for (const name of names) {
    const value = Object.hasOwn(body, name) ? body[name] : undefined;
    if (value !== undefined && value !== null) return value;
  }
  return undefined;
}

/** @throws AxpError 422 unless it is a text of this length. */
export function text(value: unknown, name: string, limits: { min?: number; max: number }): string {
  const { min = 0, max } = limits;
  if (typeof value === 'string' && value.length >= min && value.length <= max) return value;
  throw invalid(`${name} must be a string of ${min} to ${max} characters`, { field: name });
}

export function optionalText(
  value: unknown,
  name: string,
  limits: { min?: number; max: number },
): string | undefined {
  return value === undefined ? undefined : text(value, name, limits);
}

/** An address as its sender wrote it. */
export function optionalAddress(value: unknown, name: string): string | undefined {
  return optionalText(value, name, { min: 1, max: MAX_ADDRESS });
}

/** @throws AxpError 422 unless it is an object. */
export function optionalObject(value: unknown, name: string): JsonObject | undefined {
  if (value === undefined || isObject(value)) return value;
  throw invalid(`${name} must be an object`, { field: name });
}

/** A whole number; texts of digits are taken too, since command lines send them. */
export function optionalInteger(
  value: unknown,
  name: string,
  limits: { min: number; max: number },
): number | undefined {
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number)) {
    if (number >= limits.min && number <= limits.max) return number;
  }
  throw invalid(`${name} must be an integer from ${limits.min} to ${limits.max}`, { field: name });
}

/** An ISO 8601 instant, in ms since the epoch. */
export function optionalInstant(value: unknown, name: string): number | undefined {
  if (value === undefined) return undefined;
  const at = typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : NaN;
  if (Number.isFinite(at) && at >= 0) return at;
  throw invalid(`${name} must be an ISO 8601 instant`, { field: name });
}

/** A number of the query, forced into its limits: clients of the protocol are not told off for it. */
export function queryInteger(
  query: URLSearchParams,
  name: string,
  limits: { min: number; max: number },
): number | undefined {
  const given = query.get(name);
  if (given === null || given.trim() === '') return undefined;
  const number = Number(given);
  if (!Number.isFinite(number)) throw invalid(`${name} must be a number`, { field: name });
  return Math.min(limits.max, Math.max(limits.min, Math.trunc(number)));
}
