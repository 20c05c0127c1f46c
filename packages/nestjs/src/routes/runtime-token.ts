import type { DurableRequest } from '../durable-request.ts';

/** One request to a route of a durable operation, as Nest calls the controller for it. */
export interface RouteCall {
  /** The class of the controller that was called. */
  readonly type: object;
  /** The decorated method. */
  readonly method: string;
  /** What guards, interceptors and pipes let through of a submit; null for the routes of an intent. */
  readonly values: readonly unknown[] | null;
  readonly request: DurableRequest;
  readonly response: unknown;
  /** Passes the request on to the app's other routes; absent on Fastify. */
  readonly next: unknown;
}

/** What controllers with durable methods are given to answer by. */
export interface RouteAnswerer {
  answer(call: RouteCall): Promise<void>;
}

/**
 * The token and the property by which controllers get at the durable API of their app. Nest names it
 * when it is missing, hence the description.
 */
export const RUNTIME: unique symbol = Symbol('DurableApiModule.forRoot() in the root module');
