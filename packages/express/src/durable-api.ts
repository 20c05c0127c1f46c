import {
  DurableApi,
  NO_ANSWER,
  contextForAnotherCall,
  decodeInput,
  type AttemptContext,
  type DurableApiOptions,
  type Intents,
  type Ledger,
  type StopOptions,
  type StoredResponse,
} from '@durable-api/core';
import type { Application, Request, RequestHandler } from 'express';
import { readDeclared } from './declared-operation.ts';
import { callHandler, type HandlerCall, type HandlerSetup } from './attempt/call-handler.ts';
import { composeKept, readKept } from './attempt/kept-request.ts';
import { MessageFactory } from './attempt/message-factory.ts';
import { SilenceWatch } from './attempt/silence-watch.ts';
import {
  operationMiddleware,
  ticketMiddleware,
  type OperationMiddleware,
} from './mount/middleware.ts';
import { KnownApps, OperationApp } from './mount/operation-app.ts';
import { standInApp } from './mount/stand-in-app.ts';
import type {
  AgentOperationOptions,
  BodyOf,
  ExpressOperationOptions,
  OperationHandler,
  ResultOf,
} from './operation-options.ts';

/** The options of {@link durableApi}. */
export interface ExpressDurableApiOptions extends DurableApiOptions<Request> {
  /**
   * The app whose settings, `locals` and views handlers see before the first request. It is found out
   * when an operation is mounted with `app.use`; name it when all of them are mounted on routers.
   */
  readonly app?: Application | undefined;
}

/** Durable operations of an Express app. */
export interface ExpressDurableApi extends AsyncDisposable {
  /**
   * Submits, looks, lists, cancels, retries and observes from code. What a submit gives as `rest` are
   * members of the request that its handler gets, such as `{ params, query, captured }`.
   */
  readonly intents: Intents;
  /**
   * Makes an operation of a handler: `app.use(path, ...middleware, api.operation(handler))`, or the same
   * with a router. It answers `POST path` and the paths of its intents under it, and leaves all others
   * to the app. Mounted at several paths it works at each; links lead to the one that was asked.
   * @throws DurableError `operation_unnamed`, `operation_duplicate` or `options_invalid`.
   */
  operation<Req extends object = Request, Captured = unknown>(
    handler: OperationHandler<Req>,
    options: AgentOperationOptions<Captured>,
  ): OperationMiddleware<BodyOf<Req>>;
  operation<Req extends object = Request, Captured = unknown, Returned = unknown>(
    handler: OperationHandler<Req, Returned>,
    options?: ExpressOperationOptions<Captured>,
  ): OperationMiddleware<BodyOf<Req>, ResultOf<Returned>>;
  /**
   * Makes an operation whose work an agent does: `api.operation({ name: 'reports.generate', agent:
   * 'agent://acme/production/report-service' })`. The agent is given the request's body, and what it hands in is
   * the result. With a handler in front of the options, it is given what that answers.
   */
  operation<Body = unknown, Result = unknown>(
    options: AgentOperationOptions & { readonly name: string },
  ): OperationMiddleware<Body, Result>;
  /**
   * Opens streams to who bears a ticket, for `EventSource`, which cannot send headers. Mount it in front
   * of the authentication: `app.use(path, api.tickets(), requireAuth, …, api.operation(handler))`. It
   * answers `GET path/{id}/events?ticket=…` only, and does nothing unless the option `tickets` is given.
   */
  tickets(): RequestHandler;
  /** For packages that build on the durable API, such as the gateway. */
  readonly ledger: Ledger;
  /** Resolves when the store is open; rejects with the reason why it is not. */
  ready(): Promise<void>;
  /** Takes no new work, ends streams, lets attempts end, and closes the store. */
  stop(options?: StopOptions): Promise<void>;
}

/**
 * Makes durable operations of handlers of an Express 4 or 5 app.
 * @throws DurableError `options_invalid` naming each wrong option.
 */
export function durableApi(options: ExpressDurableApiOptions): ExpressDurableApi {
  // Callers without types may pass none; what is missing is said by the check of the options.
  const { app, ...rest }: ExpressDurableApiOptions = { ...options };
  const api = new DurableApi<Request>(rest);
  const apps = new KnownApps(app);
  const silence = new SilenceWatch();
  return {
    intents: api.intents,
    operation<Body, Result>(first: unknown, second?: ExpressOperationOptions) {
      const { handler, options: given } = readDeclared(first, second);
      const { name = handler?.name ?? '', capture, restore, ...operationOptions } = given;
      const setup: Omit<HandlerSetup, 'handler'> = {
        name,
        maxResultBytes: api.maxResultBytes,
        silence,
        restore: (captured, req) => {
          if (restore === undefined) Object.assign(req, captured);
          else restore(captured, req);
        },
      };
      const operationApp = new OperationApp(apps);
      const operation = api.declare(
        {
          name,
          run: async (input, context) =>
            handler === null
              ? NO_ANSWER
              : attempt({ ...setup, handler }, operationApp, input, context),
          compose: (parts) => ({ ...composeKept(parts, capture !== undefined) }),
        },
        operationOptions,
      );
      return operationMiddleware<Body, Result>({ api, operation, app: operationApp, capture });
    },
    tickets: () => ticketMiddleware(api),
    ledger: api.ledger,
    ready: () => api.ready(),
    stop: (stopOptions) => api.stop(stopOptions),
    [Symbol.asyncDispose]: () => api.stop(),
  };
}

async function attempt(
  setup: HandlerSetup,
  app: OperationApp,
  input: unknown,
  context: AttemptContext,
): Promise<StoredResponse> {
  const { body, rest } = decodeInput(input);
  const call = { kept: readKept(rest), body, context };
  const { messages } = app;
  if (messages !== null) return callHandler(setup, { ...call, messages });
  return callWithoutApp(setup, app, call);
}

/** Calls a handler whose app is not known yet, and once more with the app if it looks for it. */
async function callWithoutApp(
  setup: HandlerSetup,
  app: OperationApp,
  call: Omit<HandlerCall, 'messages'>,
): Promise<StoredResponse> {
  const standIn = standInApp();
  const [first] = await Promise.allSettled([
    callHandler(setup, { ...call, messages: new MessageFactory(standIn.app) }),
  ]);
  if (!standIn.wasAsked()) {
    if (first.status === 'fulfilled') return first.value;
    throw first.reason;
  }
  const context = contextForAnotherCall(call.context);
  return callHandler(setup, { ...call, context, messages: await app.whenKnown() });
}
