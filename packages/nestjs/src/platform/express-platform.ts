import {
  bodyParserError,
  problemReply,
  sendReply,
  type PlainReply,
  type ReplyTarget,
} from '@durable-api/core';
import type { HttpServer } from '@nestjs/common';
import { findsOperation } from './express-routes.ts';
import { ID_PARAM, isLikeIntentId } from './intent-url.ts';
import { isRequest, type DurableRequest } from '../durable-request.ts';
import type { Platform } from './platform.ts';

/** The part of Express's `Response` that is used here. */
interface ExpressResponse extends ReplyTarget {
  readonly closed: boolean;
  readonly req: { readonly socket: { setTimeout(ms: number): unknown } };
}

type Next = (error?: unknown) => void;

/** The part of an Express app that is used here. */
interface ExpressApp {
  param(
    name: string,
    handle: (request: unknown, response: unknown, next: Next, value: string) => void,
  ): unknown;
}

/** Nest on Express. */
export function expressPlatform(adapter: HttpServer): Platform {
  const app: ExpressApp = adapter.getInstance();
  return {
    type: 'express',
    prepare(openByTicket) {
      if (openByTicket !== null) {
        adapter.use(async (request: unknown, response: unknown, next: Next) => {
          try {
            const reply = isRequest(request) ? await openByTicket(request, response) : null;
            if (reply === null || !isRequest(request)) next();
            else send(reply, request, response);
          } catch (error) {
            next(error);
          }
        });
      }
      // Before the guards of our routes are asked about what is not for them.
      app.param(ID_PARAM, (_request, _response, next, value) => {
        if (isLikeIntentId(value)) next();
        else next('route');
      });
      // After Nest's body parsers, which were added before.
      adapter.use((error: unknown, request: unknown, response: unknown, next?: Next) => {
        const problem = bodyParserError(error);
        if (problem === null || !isResponse(response) || !findsOperation(app, request))
          next?.(error);
        else sendReply(problemReply(problem), response, 'POST');
      });
    },
    send,
    onClose(response, listener) {
      if (!isResponse(response)) return;
      if (response.closed) listener();
      else response.on('close', listener);
    },
    passOn(_response, next) {
      if (typeof next === 'function') next();
    },
  };
}

function send(reply: PlainReply, request: DurableRequest, response: unknown): void {
  if (!isResponse(response)) throw new TypeError('This is no response of Express.');
  // Who left meanwhile gets nothing; a stream to nobody would never hear of it.
  if (response.closed) return;
  if (reply.kind === 'stream') response.req.socket.setTimeout(0);
  sendReply(reply, response, request.method);
}

function isResponse(value: unknown): value is ExpressResponse {
  return typeof value === 'object' && value !== null && 'writeHead' in value && 'req' in value;
}
