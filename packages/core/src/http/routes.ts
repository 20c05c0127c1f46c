import { DurableError } from '../errors.ts';
import { isSignalName } from '../handler/signals.ts';

/** What a request to an operation asks for. */
export type Route =
  | { readonly name: 'submit' }
  | { readonly name: IntentRouteName; readonly intentId: string }
  | { readonly name: 'signal'; readonly intentId: string; readonly signal: string };

type IntentRouteName = 'snapshot' | 'events' | 'result' | 'output' | 'cancel' | 'retry' | 'ticket';

/** An intent id: UUIDv7 in lower case. */
const INTENT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** What somebody who mistyped an intent id would send; anything else may be the app's own path. */
const LIKE_AN_ID = /^[0-9a-f-]{30,40}$/i;

/** What may follow an intent id. */
const PARTS = ['', 'events', 'result', 'output', 'cancel', 'retry', 'ticket', 'signals'];

const GET_ROUTES = {
  '': 'snapshot',
  events: 'events',
  result: 'result',
  output: 'output',
} as const;

/**
 * Finds the route of a request; null when it is none of ours, so that the app's own routes get it.
 * @throws DurableError `intent_id_invalid` or `method_not_allowed` for what can only be meant for us.
 */
export function findRoute(method: string, subPath: string): Route | null {
  if (subPath === '/' || subPath === '') return method === 'POST' ? { name: 'submit' } : null;
  const [, id = '', part = '', ...rest] = subPath.split('/');
  if (rest.length !== (part === 'signals' ? 1 : 0) || !PARTS.includes(part)) return null;
  if (!INTENT_ID.test(id)) {
    if (!LIKE_AN_ID.test(id)) return null;
    const message = 'An intent id is a lower-case UUIDv7, as the answer to the submit gave it.';
    throw new DurableError('intent_id_invalid', message);
  }
  const [signal] = rest;
  if (signal !== undefined && method === 'POST') {
    return { name: 'signal', intentId: id, signal: checkSignalName(signal) };
  }
  const name = routeName(method, part);
  if (name !== null) return { name, intentId: id };
  // Off by default: then the path is the app's own.
  if (part === 'ticket') return null;
  const allowed = part === '' ? 'GET, DELETE' : isPosted(part) ? 'POST' : 'GET';
  throw new DurableError('method_not_allowed', `Use ${allowed} here, not ${method}.`, {
    allow: allowed,
  });
}

/** Whether a request asks for an operation or one of its intents, well or badly. */
export function isOperationPath(method: string, subPath: string): boolean {
  try {
    return findRoute(method, subPath) !== null;
  } catch {
    return true;
  }
}

/** @throws DurableError `signal_name_invalid` */
export function checkSignalName(name: string): string {
  if (isSignalName(name)) return name;
  const message =
    'The name of a signal has 1 to 100 letters, digits and "._~-", and begins with a letter or digit.';
  throw new DurableError('signal_name_invalid', message);
}

function isRead(part: string): part is keyof typeof GET_ROUTES {
  return Object.hasOwn(GET_ROUTES, part);
}

function isActed(part: string): part is 'cancel' | 'retry' | 'ticket' {
  return part === 'cancel' || part === 'retry' || part === 'ticket';
}

function isPosted(part: string): boolean {
  return part === 'signals' || isActed(part);
}

function routeName(method: string, part: string): IntentRouteName | null {
  if (method === 'GET' || method === 'HEAD') {
    return isRead(part) ? GET_ROUTES[part] : null;
  }
  if (method === 'DELETE' && part === '') return 'cancel';
  return method === 'POST' && isActed(part) ? part : null;
}
