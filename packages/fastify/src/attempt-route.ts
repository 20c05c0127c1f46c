import { randomUUID } from 'node:crypto';
import {
  decodeInput,
  DurableError,
  type AttemptContext,
  type StoredResponse,
} from '@durable-api/core';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { attemptLogger } from './attempt-logger.ts';
import { AttemptRequest } from './attempt-request.ts';
import { AttemptResponse } from './attempt-response.ts';
import { bareScope } from './bare-scope.ts';
import { pickOptions, withoutServerTimeout, type DeclaredRoute } from './declared-route.ts';
import type { DurableRouteOptions } from './options.ts';
import { RequestRestorer, type Original } from './request-restorer.ts';
import { isStreamed, sendAll } from './streamed-value.ts';
import { readStoredRequest } from './stored-request.ts';

/** What an {@link AttemptRoute} is made of. */
export interface AttemptRouteSetup {
  /** The scope that the route is declared in: the `this` of its handler. */
  readonly scope: FastifyInstance;
  /** The route as its author declared it. */
  readonly route: DeclaredRoute;
  readonly options: DurableRouteOptions;
  readonly maxResultBytes: number;
  /** Resolved when the app, with all that handlers may use of it, is ready. */
  readonly ready: Promise<void>;
}

/** An attempt under way. */
interface Running extends Original {
  readonly response: AttemptResponse;
  isEntered: boolean;
  thrown: { readonly error: unknown } | null;
}

/** Errors that say themselves how the attempt ends, so that the app's error handler has no say. */
const SELF_DECIDING = new Set([
  'NonRetryableError',
  'RetryAfterError',
  'HandlerFault',
  'WaitTimeoutError',
  'ChildError',
]);

/**
 * Runs the handler of a durable route. Fastify makes the request and the reply of an attempt itself: it
 * finds them a route of their own, which has all that the declared one has but the hooks of an HTTP
 * exchange. No other request gets anywhere on it.
 */
export class AttemptRoute {
  readonly #setup: AttemptRouteSetup;
  readonly #url = `/.durable-attempts/${randomUUID()}`;
  readonly #running = new WeakMap<object, Running>();

  /** Adds the route to the scope, before the app is ready. */
  constructor(setup: AttemptRouteSetup) {
    this.#setup = setup;
    bareScope(setup.scope).route(this.#route());
  }

  /** Runs the handler on a stored request and resolves to its response. */
  async run(input: unknown, context: AttemptContext): Promise<StoredResponse> {
    const { body, rest } = decodeInput(input);
    const stored = readStoredRequest(rest);
    const { scope, maxResultBytes, ready } = this.#setup;
    await ready;
    const request = new AttemptRequest(this.#url, stored, context);
    const response = new AttemptResponse(request, maxResultBytes);
    const running: Running = { stored, body, context, response, isEntered: false, thrown: null };
    this.#running.set(request, running);
    scope.routing(request, response);
    const whole = await response.whole;
    if (!running.isEntered) return refused(whole.status, context.signal);
    if (running.thrown !== null && whole.status >= 500) throw running.thrown.error;
    return whole;
  }

  #route(): RouteOptions {
    const { scope, route } = this.#setup;
    const restorer = new RequestRestorer(this.#setup);
    return {
      ...pickOptions(route, [
        'config',
        'logLevel',
        'logSerializers',
        'validatorCompiler',
        'serializerCompiler',
        'schemaErrorFormatter',
        'preSerialization',
        'errorHandler',
      ]),
      ...schemas(route),
      ...withoutServerTimeout(scope),
      method: 'POST',
      url: this.#url,
      childLoggerFactory: attemptLogger(scope, route.childLoggerFactory),
      preValidation: async (request, reply) => {
        const running = this.#running.get(request.raw);
        // Somebody guessed the URL. To wait for the reply keeps Fastify from going on.
        if (running === undefined) return reply.callNotFound();
        running.isEntered = true;
        return restorer.restore(request, reply, running);
      },
      handler: (request, reply) => {
        const returned: unknown = route.handler.call(scope, request, reply);
        const answer = (value: unknown): unknown =>
          isStreamed(value) ? sendAll(value, reply) : value;
        return returned instanceof Promise ? returned.then(answer) : answer(returned);
      },
      onError: [
        ...[route.onError ?? []].flat(),
        (request, _reply, error, done) => {
          this.#noteThrow(request, error);
          done();
        },
      ],
    };
  }

  #noteThrow(request: FastifyRequest, error: unknown): void {
    const running = this.#running.get(request.raw);
    if (running === undefined) return;
    running.thrown ??= { error };
    if (error instanceof Error && SELF_DECIDING.has(error.name)) running.response.giveUp(error);
  }
}

/**
 * The response schemas of the route, for the result. Input was validated at the submit; only a handler
 * that wants to see what is wrong with it has it validated again.
 */
function schemas({ schema, attachValidation }: DeclaredRoute): Partial<RouteOptions> {
  if (schema === undefined) return {};
  if (attachValidation === true) return { schema, attachValidation };
  return schema.response === undefined ? {} : { schema: { response: schema.response } };
}

/** Fastify itself refused the attempt. While the app closes, this leaves it to another process. */
function refused(status: number, signal: AbortSignal): Promise<never> {
  if (status !== 503) {
    throw new DurableError(
      'handler_unavailable',
      `Fastify answered an attempt with ${status} before its handler was called. ` +
        'Look whether a rewriteUrl or a constraint of the app changes URLs that are not its own.',
    );
  }
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
