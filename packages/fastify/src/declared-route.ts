import type { FastifyInstance, RouteOptions } from 'fastify';

/** A route as `onRoute` hooks are given it. */
export type DeclaredRoute = RouteOptions & {
  /** The URL within its scope. */
  readonly routePath: string;
  /** The whole URL. */
  readonly path: string;
};

/** These options of a route, as far as it has them. */
export function pickOptions<K extends keyof RouteOptions>(
  route: RouteOptions,
  names: readonly K[],
): Partial<Pick<RouteOptions, K>> {
  const picked: Partial<Pick<RouteOptions, K>> = {};
  for (const name of names) {
    if (route[name] !== undefined) Object.assign(picked, { [name]: route[name] });
  }
  return picked;
}

/** The longest time that a timer takes; longer than any attempt or wait. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Lifts the `handlerTimeout` of the whole server from a route: attempts, waits and streams have limits
 * of their own, and no route can do without a value.
 */
export function withoutServerTimeout(
  scope: FastifyInstance,
): Partial<Pick<RouteOptions, 'handlerTimeout'>> {
  const ofServer: unknown = Reflect.get(scope.initialConfig, 'handlerTimeout');
  return typeof ofServer === 'number' && ofServer > 0 ? { handlerTimeout: LONGEST_MS } : {};
}
