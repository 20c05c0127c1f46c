import { isOperationPath } from '@durable-api/core';

/** The name of the path parameter that holds the id of an intent. */
export const ID_PARAM = 'intent_id';

/** Whether a text is an intent id, or meant to be one, so that nothing else of the app is asked by it. */
export function isLikeIntentId(text: string): boolean {
  return isOperationPath('GET', `/${text}`);
}

/** Whether the path of a URL ends like that of an intent: `…/{id}`, `…/{id}/events`, … */
export function isIntentUrl(url: string): boolean {
  const end =
    /\/([0-9a-fA-F-]+)(?:\/(?:events|result|cancel|output|retry|ticket|signals\/[^/?]+))?\/?(?:\?|$)/.exec(
      url,
    );
  return end?.[1] !== undefined && isLikeIntentId(end[1]);
}

/** The path of a URL without its query, and what follows the `?`. */
export function splitUrl(url: string): { readonly path: string; readonly query: string } {
  const mark = url.indexOf('?');
  const path = mark === -1 ? url : url.slice(0, mark);
  const query = mark === -1 ? '' : url.slice(mark + 1);
  // An absolute URL is what proxies send.
  return { path: path.startsWith('/') ? path : path.replace(/^[a-z]+:\/\/[^/]*/i, ''), query };
}

/** Cuts `count` segments off the end of a path: the operation's own path, and what follows it. */
export function splitPath(path: string, count: number): { operation: string; rest: string } {
  const end = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  let cut = end.length;
  for (let i = 0; i < count; i++) cut = end.lastIndexOf('/', cut - 1);
  return { operation: end.slice(0, cut) || '/', rest: end.slice(cut) || '/' };
}
