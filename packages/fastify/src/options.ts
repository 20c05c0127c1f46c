import type { DurableApi, DurableApiOptions, OperationOptions } from '@durable-api/core';
import type { FastifyRequest } from 'fastify';

/** Values of a request beside its standard parts, by the name of the decorator that holds them. */
export type Captured = Readonly<Record<string, unknown>>;

/** What `config.durable` of a route takes instead of `true`. */
export interface DurableRouteOptions extends OperationOptions<FastifyRequest> {
  /**
   * The operation's name. It must survive deploys: stored intents are run by whoever declares it.
   * Default: method and URL of the route, prefixes included, like `POST /reports/generate`.
   */
  readonly name?: string | undefined;
  /**
   * What the handler needs beside the standard parts of the request: the names of request decorators,
   * or a function that returns their values. They are stored, so they must be JSON. Default: nothing.
   */
  readonly capture?:
    | readonly string[]
    | ((request: FastifyRequest) => Captured | Promise<Captured>)
    | undefined;
  /**
   * Gives back to the attempt's request what was captured.
   * Default: each value is assigned to the decorator of its name.
   */
  readonly restore?:
    | ((captured: Captured, request: FastifyRequest) => void | Promise<void>)
    | undefined;
}

/** The options of the plugin. */
export interface DurableApiPluginOptions extends DurableApiOptions<FastifyRequest> {
  /** How long attempts may go on after `app.close()` before their leases are given back. Default 10,000 ms. */
  readonly graceMs?: number | undefined;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True, or options, makes the route a durable operation. */
    durable?: boolean | DurableRouteOptions | undefined;
  }
  interface FastifyInstance {
    /** The durable API of this app, for `ready()` and `stop()`. */
    durableApi: DurableApi<FastifyRequest>;
  }
}
