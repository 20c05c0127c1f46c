import { DurableError } from '../errors.ts';

/** What a request to an operation asks for. */
export type Route =
  | { readonly name: 'submit' }
  | { readonly name: IntentRouteName; readonly intentId: string };

type IntentRouteName = 'snapshot' | 'events' | 'result' | 'cancel' | 'ticket';

/** An intent id: UUIDv7 in lower case. */
const INTENT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** What somebody who mistyped an intent id would send; anything else may be the app's own path. */
const LIKE_AN_ID = /^[0-9a-f-]{30,40}$/i;

/** What may follow an intent id. */
const PARTS = ['', 'events', 'result', 'cancel', 'ticket'];

const GET_ROUTES = { '': 'snapshot', events: 'events', result: 'result' } as const;

/**
 * Finds the route of a request; null when it is none of ours, so that the app's own routes get it.
 * @throws DurableError `intent_id_invalid` or `method_not_allowed` for what can only be meant for us.
 */
export function findRoute(method: string, subPath: string): Route | null {
  if (subPath === '/' || subPath === '') return method === 'POST' ? { name: 'submit' } : null;
  const [, id = '', part = '', ...rest] = subPath.split('/');
  if (rest.length > 0 || !PARTS.includes(part)) return null;
  if (!INTENT_ID.test(id)) {
    if (!LIKE_AN_ID.test(id)) return null;
    const message = 'An intent id is a lower-case UUIDv7, as the answer to the submit gave it.';
    throw new DurableError('intent_id_invalid', message);
  }
  const name = routeName(method, part);
  if (name !== null) return { name, intentId: id };
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

function isPosted(part: string): part is 'cancel' | 'ticket' {
  return part === 'cancel' || part === 'ticket';
}

function routeName(method: string, part: string): IntentRouteName | null {
  if (method === 'GET' || method === 'HEAD') {
    return part === '' || part === 'events' || part === 'result' ? GET_ROUTES[part] : null;
  }
  if (method === 'DELETE' && part === '') return 'cancel';
  return method === 'POST' && isPosted(part) ? part : null;
}
