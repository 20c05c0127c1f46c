import { DURABLE_CONTEXT, NonRetryableError, type AttemptContext } from '@durable-api/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AttemptRequest } from './attempt-request.ts';
import type { DeclaredRoute } from './declared-route.ts';
import type { DurableRouteOptions } from './options.ts';
import type { InputPart } from './raw-inputs.ts';
import type { StoredRequest } from './stored-request.ts';

/** What a {@link RequestRestorer} is made of. */
export interface RestorerSetup {
  readonly scope: FastifyInstance;
  readonly route: DeclaredRoute;
  readonly options: DurableRouteOptions;
}

/** What the request of an attempt is to be like. */
export interface Original {
  readonly stored: StoredRequest;
  readonly body: unknown;
  readonly context: AttemptContext;
}

/** What a validator may return instead of a verdict: what it made of the input, or why it did not. */
interface Made {
  readonly error?: unknown;
  readonly value?: unknown;
}

/** Makes the request of an attempt look like the one that was submitted. */
export class RequestRestorer {
  readonly #setup: RestorerSetup;
  #routeOptions: object | null = null;

  constructor(setup: RestorerSetup) {
    this.#setup = setup;
  }

  /** Resolves when the handler may be called. */
  async restore(request: FastifyRequest, reply: FastifyReply, original: Original): Promise<void> {
    const { stored, body, context } = original;
    const { scope, options } = this.#setup;
    if (request.raw instanceof AttemptRequest) request.raw.showHeaders();
    request.id = stored.id;
    request.body = body;
    request.params = stored.params;
    request.query = stored.query;
    Object.defineProperties(request, {
      server: { value: scope },
      signal: { value: context.signal },
      routeOptions: { value: (this.#routeOptions ??= this.#asDeclared(request.routeOptions)) },
      [DURABLE_CONTEXT]: { value: context },
    });
    Object.defineProperty(reply, 'server', { value: scope });
    for (const name of stored.dropped) refuse(request, name);
    for (const part of stored.raw) await this.#validateAgain(request, part);
    if (options.restore === undefined) Object.assign(request, stored.captured);
    else await options.restore(stored.captured, request);
  }

  async #validateAgain(request: FastifyRequest, part: InputPart): Promise<void> {
    const httpPart = part === 'query' ? 'querystring' : part;
    const schema: unknown = this.#setup.route.schema?.[httpPart];
    if (!isSchema(schema)) return;
    const validate = request.compileValidationSchema(schema, httpPart);
    // A validator may be async, whatever its type says.
    const verdict: unknown = await Promise.resolve(validate(request[part]));
    if (isMade(verdict) && verdict.error === undefined) {
      Object.assign(request, { [part]: verdict.value });
    } else if (isMade(verdict) || verdict === false) {
      throw new NonRetryableError(
        `The stored ${part} does not match the schema of the route: that has changed since the submit, or ` +
          'code has started the operation with something else.',
      );
    }
  }

  #asDeclared(options: FastifyRequest['routeOptions']): object {
    const { method, url, handler } = this.#setup.route;
    return { ...options, method, url, handler, config: { ...options.config, method, url } };
  }
}

function refuse(request: FastifyRequest, name: string): void {
  Object.defineProperty(request, name, {
    configurable: true,
    get: () => {
      throw new NonRetryableError(
        `request.${name} is not stored with an operation. Say what the handler needs of it, with ` +
          `config: { durable: { capture: ['${name}'] } }, and of a child start(operation, body, ` +
          `{ captured: { ${name} } }). Keep credentials out of it.`,
      );
    },
    set: (value: unknown) => {
      Object.defineProperty(request, name, { value, writable: true, configurable: true });
    },
  });
}

// The schema of a type provider may be a function.
function isSchema(schema: unknown): schema is object {
  return typeof schema === 'function' || (typeof schema === 'object' && schema !== null);
}

function isMade(verdict: unknown): verdict is Made {
  return typeof verdict === 'object' && verdict !== null;
}
