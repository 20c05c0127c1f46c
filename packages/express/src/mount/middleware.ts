import {
  bodyParserError,
  DurableError,
  isOperationPath,
  problemReply,
  sendReply,
  type DurableApi,
  type Operation,
  type OperationRef,
  type PlainReply,
  type PlainRequest,
} from '@durable-api/core';
import type {
  Application,
  ErrorRequestHandler,
  NextFunction,
  Request,
  RequestHandler,
  Response,
} from 'express';
import { keepRequest } from '../attempt/kept-request.ts';
import { parsedBody } from './body.ts';
import type { OperationApp } from './operation-app.ts';

/**
 * An operation as `app.use` and `router.use` take it: what answers its requests, and what answers for
 * the body parser in front of it. And as `start` takes it: `Body` is what it is started with, `Result` what
 * it gives.
 */
export type OperationMiddleware<Body = unknown, Result = unknown> = [
  RequestHandler,
  ErrorRequestHandler,
] &
  OperationRef<Body, Result>;

/** What an operation is mounted with. */
export interface MountSetup {
  readonly api: DurableApi<Request>;
  readonly operation: Operation;
  readonly app: OperationApp;
  readonly capture: ((req: Request) => unknown) | undefined;
}

/** Makes the middleware of an operation. */
export function operationMiddleware<Body, Result>(
  setup: MountSetup,
): OperationMiddleware<Body, Result> {
  const handle: RequestHandler = (req, res, next) => {
    setup.app.note(req.app);
    if (req.route !== undefined) {
      reply(problemReply(mountedAsRoute(req)), req, res);
      return;
    }
    const { api, operation } = setup;
    void answerOrPass(() => api.handle(operation, plainRequest(setup, req, res)), req, res, next);
  };
  const handleError: ErrorRequestHandler = (error, req, res, next) => {
    const problem = isOperationPath(req.method, req.path) ? bodyParserError(error) : null;
    if (problem === null || res.headersSent) next(error);
    else reply(problemReply(problem), req, res);
  };
  const middleware: [RequestHandler, ErrorRequestHandler] = [
    noteMount(handle, setup.app),
    handleError,
  ];
  const { name, options } = setup.operation;
  return Object.assign(middleware, { operation: name, version: options.version });
}

/** Makes the middleware that opens streams to who bears a ticket, and passes on all else. */
export function ticketMiddleware(api: DurableApi<Request>): RequestHandler {
  return (req, res, next) => {
    const request = plainRequest({ capture: undefined }, req, res);
    void answerOrPass(() => api.handleTicket(request), req, res, next);
  };
}

async function answerOrPass(
  ask: () => Promise<PlainReply | null>,
  req: Request,
  res: Response,
  next: NextFunction,
): Promise<void> {
  try {
    const answer = await ask();
    if (answer === null) next();
    else reply(answer, req, res);
  } catch (error) {
    next(error);
  }
}

/**
 * Makes `app.use` tell which app the operation is mounted in, since attempts that a restart left over
 * begin before any request: Express emits `mount` to what looks like an app. Routers take no notice.
 */
function noteMount(handle: RequestHandler, app: OperationApp): RequestHandler {
  return Object.assign(handle, {
    handle,
    set: () => {},
    emit(event: string, parent: Application) {
      if (event === 'mount') app.note(parent);
    },
  });
}

function plainRequest(
  setup: Pick<MountSetup, 'capture'>,
  req: Request,
  res: Response,
): PlainRequest<Request> {
  const { method, originalUrl } = req;
  const queryAt = req.url.indexOf('?');
  return {
    source: req,
    method,
    operationPath: req.baseUrl,
    subPath: req.path,
    query: queryAt === -1 ? '' : req.url.slice(queryAt + 1),
    headers: req.headers,
    capture: async () => {
      const body = parsedBody(req);
      const captured = await setup.capture?.(req);
      return {
        identity: { method, url: originalUrl },
        body,
        rest: { ...keepRequest(req, captured) },
      };
    },
    body: () => parsedBody(req),
    onClose(listener) {
      if (res.closed) listener();
      // Not of the request: that closes as soon as its body has been read.
      else res.on('close', listener);
    },
  };
}

function reply(answer: PlainReply, req: Request, res: Response): void {
  // Who left meanwhile gets nothing; a stream to nobody would never hear of it.
  if (res.closed) return;
  if (answer.kind === 'stream') {
    req.socket.setTimeout(0);
    lighten(req, res);
  }
  sendReply(answer, res, req.method);
}

/** Lets go of what Express keeps for a request under way, since a stream may last for hours. */
function lighten(req: Request, res: Response): void {
  // The way back through the routers, which nobody goes any more, and a cache that is filled when asked.
  Reflect.set(req, 'next', undefined);
  Reflect.set(req, '_parsedUrl', undefined);
  // An object without a prototype, as Express makes them, takes ten times the memory.
  req.params = { ...req.params };
  res.locals = { ...res.locals };
}

function mountedAsRoute(req: Request): DurableError {
  const path: unknown = req.route?.path;
  const shown = typeof path === 'string' ? path : '/path';
  return new DurableError(
    'mount_invalid',
    'An operation has routes of its own under its path, so it cannot be the handler of one route. ' +
      `Mount it with app.use('${shown}', express.json(), api.operation(handler)), ` +
      'instead of app.post() or app.all().',
  );
}
