import { z } from 'zod';
import { DurableError } from './errors.ts';

/**
 * Checks options against their schema.
 * @throws DurableError `options_invalid` naming each wrong key, what it must be and what it was.
 */
export function parseOptions<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => {
    const where = issue.path.join('.') || '(top level)';
    if (issue.code === 'unrecognized_keys')
      return `  ${where}: ${issue.message}. Known are ${known(schema, issue.path)}`;
    const isShown = issue.input !== undefined && !issue.path.includes('secret');
    const received = isShown ? `, received ${show(issue.input)}` : '';
    // zod names the type of what it received, and not always the value.
    return `  ${where}: ${issue.message.replace(/, received \w+$/, '')}${received}`;
  });
  throw new DurableError('options_invalid', `Invalid ${what}:\n${lines.join('\n')}`);
}

function known(schema: z.ZodType, path: readonly PropertyKey[]): string {
  const keys = keysAt(schema, path).join(', ');
  // Adapters take out those of their own, such as `name`, before the rest is checked.
  return path.length === 0 ? `${keys}, and those of the adapter` : keys;
}

/** The keys that the object at a path of a schema takes. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let at: unknown = schema;
  for (const key of [...path.map(String), null]) {
    while (isWrapped(at)) at = at.unwrap();
    if (at instanceof z.ZodArray) {
      at = at.element;
      continue;
    }
    if (!(at instanceof z.ZodObject)) return [];
    if (key === null) return Object.keys(at.shape);
    at = at.shape[key];
  }
  return [];
}

function isWrapped(schema: unknown): schema is { unwrap(): unknown } {
  return (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  );
}

function show(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'string') return `string ${JSON.stringify(value)}`;
  // JSON has neither NaN nor bigint nor symbols.
  if (typeof value === 'number' || typeof value === 'bigint') return `${typeof value} ${value}`;
  return typeof value === 'boolean' ? `boolean ${value}` : typeof value;
}
