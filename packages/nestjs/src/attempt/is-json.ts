/** Deeper than this is not looked; core refuses what is nested so deeply. */
const MAX_DEPTH = 100;

/**
 * Whether a value comes back from JSON as it was. An instance of a class does not, nor does a Date; it
 * has to be made again.
 */
export function isJson(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((item) => isJson(item, depth + 1));
  if (!isPlain(value)) return false;
  // A member that is undefined is not written, and reads the same when it is absent.
  return Object.values(value).every((item) => item === undefined || isJson(item, depth + 1));
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return true;
  // Routers make their parameters with a class that has no prototype of its own.
  return Object.getPrototypeOf(prototype) === null && !('toString' in value);
}
