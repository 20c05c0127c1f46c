import type { AgentRef, OperationOptions } from '@durable-api/core';
import type { NextFunction, Request, Response } from 'express';

/**
 * A handler of a route, as Express calls it. `Req` is the request that it declares to take, `Returned` what
 * it returns.
 */
export type OperationHandler<Req = Request, Returned = unknown> = (
  req: Req,
  res: Response,
  next: NextFunction,
) => Returned;

/** The body that a handler declares to take. */
export type BodyOf<Req> = Req extends { readonly body: infer Body } ? Body : unknown;

/** What a handler that returns its answer gives; of one that writes it, the compiler knows nothing. */
export type ResultOf<Returned> =
  Awaited<Returned> extends infer Value
    ? Value extends void | undefined | Response
      ? unknown
      : Value
    : unknown;

/** What can be set for one operation. `Captured` is a JSON value. */
export interface ExpressOperationOptions<Captured = unknown> extends OperationOptions<Request> {
  /** Stable across deploys: stored intents are run by this name. Default: the handler's own name. */
  readonly name?: string | undefined;
  /**
   * What else of the submit's request the handler needs, such as `{ user: req.user }`. It is stored, so
   * it must be JSON, and should have no credentials. Called once per submit.
   */
  readonly capture?: ((req: Request) => Captured | Promise<Captured>) | undefined;
  /**
   * Gives it back to the request of an attempt. Default: its members become members of the request.
   */
  readonly restore?: ((captured: Captured, req: Request) => void) | undefined;
}

/** The options of an operation whose work an agent does. */
export interface AgentOperationOptions<
  Captured = unknown,
> extends ExpressOperationOptions<Captured> {
  readonly agent: string | AgentRef;
}
