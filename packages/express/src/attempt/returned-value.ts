/**
 * Whether what a handler returned is meant as its answer. Handlers often return what is none, by the
 * short form of an arrow function: a timer, an emitter, a query under way, the new length of a list. So
 * only plain data counts and what knows its JSON, and a lone number or text only from a promise.
 */
export function isAnswer(value: unknown, isAwaited: boolean): boolean {
  if (typeof value !== 'object' || value === null) {
    const isText = ['string', 'number', 'boolean'].includes(typeof value) || value === null;
    return isAwaited && isText;
  }
  if (Array.isArray(value) || value instanceof Uint8Array) return true;
  if ('toJSON' in value && typeof value.toJSON === 'function') return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  const isUnderWay = ['on', 'then', 'unref', 'pipe'].some((name) => name in value);
  return isAwaited && !isUnderWay;
}
