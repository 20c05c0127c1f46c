import { isSubmitRoute } from '../routes/durable-route.ts';
import { splitUrl } from './intent-url.ts';

/** What follows the path of an operation in that of a signal. */
const SIGNAL_PATH = /\/[0-9a-f-]{30,40}\/signals\/[^/]+\/?$/i;

/**
 * Whether an Express app would give a POST to a durable operation. Nest copies the metadata of a method
 * to the handler that it registers; false where the router is not as Express 5 builds it.
 */
export function findsOperation(app: unknown, request: unknown): boolean {
  if (member(request, 'method') !== 'POST') return false;
  const url = member(request, 'url');
  const layers = member(member(app, 'router'), 'stack');
  if (typeof url !== 'string' || !Array.isArray(layers)) return false;
  // A signal to an intent of the operation has a body too.
  const path = splitUrl(url).path.replace(SIGNAL_PATH, '') || '/';
  return layers.some((layer: unknown) => isOperationLayer(layer, path));
}

function isOperationLayer(layer: unknown, path: string): boolean {
  const handlers = member(member(layer, 'route'), 'stack');
  if (!Array.isArray(handlers)) return false;
  const isOperation = handlers.some((entry: unknown) => {
    const handle = member(entry, 'handle');
    return typeof handle === 'function' && isSubmitRoute(handle);
  });
  return isOperation && matches(layer, path);
}

function matches(layer: unknown, path: string): boolean {
  const match = member(layer, 'match');
  if (typeof match !== 'function') return false;
  try {
    return Boolean(match.call(layer, path));
  } catch {
    // The path cannot be decoded; the router will say so.
    return false;
  }
}

function member(value: unknown, name: string): unknown {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return isObject ? Reflect.get(value, name) : undefined;
}
