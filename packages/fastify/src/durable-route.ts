import {
  DurableError,
  type DurableApi,
  type Operation,
  type OperationOptions,
} from '@durable-api/core';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { AttemptRoute } from './attempt-route.ts';
import { withoutServerTimeout, type DeclaredRoute } from './declared-route.ts';
import { describeSubmit, documentOnly } from './describe.ts';
import { answerBodyErrors } from './error-handler.ts';
import { IS_OPERATION } from './missed-route.ts';
import type { DurableRouteOptions } from './options.ts';
import { plainRequest, type Asked } from './plain-request.ts';
import { inputsOf, type RawInputs } from './raw-inputs.ts';
import { sendPlain } from './send-plain.ts';
import { siblingRoutes, type SiblingHandler } from './sibling-routes.ts';
import { captureRequest, composeRequest } from './stored-request.ts';

/** What a {@link DurableRoute} is made of. */
export interface DurableRouteSetup {
  readonly api: DurableApi<FastifyRequest>;
  /** The scope that the route is declared in. */
  readonly scope: FastifyInstance;
  readonly options: DurableRouteOptions;
  /** Resolved when the app is ready. */
  readonly ready: Promise<void>;
}

/** A route that is an operation: its `POST` submits, and its own handler runs in the attempts. */
export class DurableRoute {
  readonly #setup: DurableRouteSetup;
  /** The route as its author declared it. */
  readonly #declared: DeclaredRoute;
  readonly #attempts: AttemptRoute;
  /** The inputs of requests before validation, until they are stored. */
  readonly #rawInputs = new WeakMap<FastifyRequest, RawInputs>();
  #operation: Operation | null = null;

  /**
   * Adds a route for its attempts to the scope, while `route` itself is being declared.
   * @throws DurableError `mount_invalid` when the route cannot be an operation.
   */
  constructor(setup: DurableRouteSetup, route: DeclaredRoute) {
    checkMount(route);
    this.#setup = setup;
    this.#declared = { ...route };
    this.#attempts = new AttemptRoute({
      scope: setup.scope,
      route: this.#declared,
      options: setup.options,
      maxResultBytes: setup.api.maxResultBytes,
      ready: setup.ready,
    });
  }

  /** Makes the route that is being declared submit instead of calling its handler. */
  takeOver(route: DeclaredRoute): void {
    const { schema, preValidation, errorHandler } = this.#declared;
    const { scope } = this.#setup;
    delete route.handlerTimeout;
    Object.assign(route, withoutServerTimeout(scope));
    route.config = Object.assign({ [IS_OPERATION]: true }, route.config);
    route.schema = describeSubmit(schema);
    documentOnly(route, scope, '202');
    route.errorHandler = answerBodyErrors(errorHandler);
    route.handler = (request, reply) => this.#answer(request, reply, '/', 0);
    if (schema === undefined) return;
    route.preValidation = [
      ...[preValidation ?? []].flat(),
      (request, _reply, done) => {
        this.#rawInputs.set(request, inputsOf(request));
        done();
      },
    ];
  }

  /** The routes of its intents, to be added to the scope. */
  siblings(): readonly RouteOptions[] {
    const { scope, api } = this.#setup;
    const handler: SiblingHandler = (request, reply, intentId, rest) =>
      this.#answer(request, reply, `/${intentId}${rest}`, rest.split('/').length);
    return siblingRoutes(scope, this.#declared, { handler, hasTickets: api.hasTickets });
  }

  /** Declares the operation, so that stored intents of it are worked on. */
  declare(): void {
    const { api, options } = this.#setup;
    const { url, handlerTimeout } = this.#declared;
    const { name = `POST ${url}`, capture: _capture, restore: _restore, ...ofOperation } = options;
    // What limits the handler of a usual route limits an attempt of a durable one.
    const operationOptions: OperationOptions<FastifyRequest> = {
      timeoutMs: handlerTimeout,
      ...ofOperation,
    };
    const run: Operation['run'] = (input, context) => this.#attempts.run(input, context);
    const compose: Operation['compose'] = (parts) => ({
      ...composeRequest(parts, url, options.capture),
    });
    this.#operation = api.declare({ name, run, compose }, operationOptions);
  }

  /** Answers what stands `segmentCount` segments under the route's own path, as `subPath` says. */
  async #answer(
    request: FastifyRequest,
    reply: FastifyReply,
    subPath: string,
    segmentCount: number,
  ): Promise<unknown> {
    if (this.#operation === null) {
      throw new DurableError(
        'handler_unavailable',
        'The app is not ready. Await app.ready() first.',
      );
    }
    const { api, options } = this.#setup;
    const capture: Asked['capture'] = () =>
      captureRequest(request, options.capture, this.#rawInputs.get(request));
    const asked = plainRequest(request, reply, { subPath, segmentCount, capture });
    const plain = await api.handle(this.#operation, asked);
    return plain === null ? reply.callNotFound() : sendPlain(plain, request, reply);
  }
}

function checkMount({ method, url }: DeclaredRoute): void {
  const methods = [method].flat();
  if (methods.length !== 1 || methods[0] !== 'POST') {
    throw new DurableError(
      'mount_invalid',
      `The durable route ${methods.join(', ')} ${url} must take POST and nothing else: a submit is a ` +
        'POST. Declare it with app.post(), and other methods as routes of their own.',
    );
  }
  if (/[*?]$/.test(url)) {
    throw new DurableError(
      'mount_invalid',
      `The durable route ${url} ends in a wildcard or an optional parameter, so that no paths of its ` +
        'intents can follow. Give it a path that ends.',
    );
  }
}
