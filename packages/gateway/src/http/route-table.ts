import type { Route } from './route.ts';

interface Pattern {
  readonly route: Route;
  readonly segments: readonly string[];
}

/** What a path and method lead to. */
export type RouteMatch =
  | { readonly route: Route; readonly params: Readonly<Record<string, string>> }
  /** The path is known, with other methods. */
  | { readonly allowed: readonly string[] };

/** Finds the route of a request: the first that is declared wins. */
export class RouteTable {
  readonly #byFamily = new Map<string, Pattern[]>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      const segments = route.path.split('/').slice(1);
      const family = familyOf(segments);
      const patterns = this.#byFamily.get(family) ?? [];
      this.#byFamily.set(family, patterns);
      patterns.push({ route, segments });
    }
  }

  /** Null when no route has this path. `segments` are those of the path, not decoded. */
  find(method: string, segments: readonly string[]): RouteMatch | null {
    const allowed = new Set<string>();
    for (const { route, segments: wanted } of this.#byFamily.get(familyOf(segments)) ?? []) {
      const params = match(wanted, segments);
      if (params === null) continue;
      if (route.method === method || (method === 'HEAD' && route.method === 'GET')) {
        return { route, params };
      }
      allowed.add(route.method);
    }
    return allowed.size === 0 ? null : { allowed: [...allowed] };
  }
}

/** What comes after the version: `intents`, `agents`, … */
export function familyOf(segments: readonly string[]): string {
  return (segments[0] === 'v1' ? segments[1] : segments[0]) ?? '';
}

function match(
  wanted: readonly string[],
  given: readonly string[],
): Readonly<Record<string, string>> | null {
  const star = wanted.indexOf('*');
  if (star === -1 ? wanted.length !== given.length : given.length < wanted.length) return null;
  const params: Record<string, string> = {};
  const extra = star === -1 ? 0 : given.length - wanted.length;
  for (const [i, name] of wanted.entries()) {
    const at = star !== -1 && i > star ? i + extra : i;
    const value = name === '*' ? given.slice(i, i + extra + 1).join('/') : (given[at] ?? '');
    if (name === '*' || name.startsWith(':')) {
      const decoded = decode(value);
      if (decoded === null || decoded === '') return null;
      params[name === '*' ? 'address' : name.slice(1)] = decoded;
    } else if (name !== value) return null;
  }
  return params;
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
