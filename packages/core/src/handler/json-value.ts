import { HandlerFault } from '../handler-fault.ts';

/** The deepest nesting of a value that is remembered. */
const MAX_DEPTH = 64;

/**
 * The JSON of a value that is to be remembered; undefined for undefined.
 * @throws HandlerFault `step_not_json` for what would come back as something else, saying where it is.
 */
export function rememberedJson(value: unknown, what: string): string | undefined {
  check(value, what, 0);
  return JSON.stringify(value);
}

function check(value: unknown, path: string, depth: number): void {
  switch (typeof value) {
    case 'undefined':
    case 'boolean':
      return;
    case 'string':
      if (!value.isWellFormed()) throw notJson(path, 'text with half of a surrogate pair');
      return;
    case 'number':
      if (!Number.isFinite(value)) throw notJson(path, String(value));
      return;
    case 'object':
      checkObject(value, path, depth);
      return;
    default:
      throw notJson(path, `a ${typeof value}`);
  }
}

function checkObject(value: object | null, path: string, depth: number): void {
  if (value === null) return;
  if (depth >= MAX_DEPTH) throw notJson(path, `nested more than ${MAX_DEPTH} levels deep`);
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      if (item === undefined) throw notJson(`${path}[${i}]`, 'undefined');
      check(item, `${path}[${i}]`, depth + 1);
    }
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw notJson(path, `a ${value.constructor.name || 'class instance'}`);
  }
  if ('toJSON' in value) throw notJson(path, 'an object with a toJSON method');
  for (const [key, item] of Object.entries(value)) check(item, `${path}.${key}`, depth + 1);
}

function notJson(path: string, what: string): HandlerFault {
  return new HandlerFault(
    'step_not_json',
    `${path} is ${what}, which JSON does not give back as it was. Return plain data: objects, lists, ` +
      'text, finite numbers, booleans, null; dates as text, bytes as base64.',
  );
}
