import { IncomingMessage, ServerResponse } from 'node:http';
import type { Application, Request, Response } from 'express';

/** A request and its response, as a handler of an app is given them. */
export interface Messages {
  readonly req: Request;
  readonly res: Response;
}

/**
 * Makes requests and responses of an app that no client is connected to: real ones of `node:http`, born
 * with the app's prototypes, which is cheaper than giving them those afterwards as Express does.
 */
export class MessageFactory {
  readonly app: Application;
  readonly #Request: () => void;
  readonly #Response: () => void;

  constructor(app: Application) {
    this.app = app;
    this.#Request = constructorOf(app, 'request');
    this.#Response = constructorOf(app, 'response');
  }

  /** Makes a `POST` with these headers, whose body is read already. */
  create(socket: object, headers: IncomingMessage['headers']): Messages {
    const req: Request = Reflect.construct(IncomingMessage, [socket], this.#Request);
    req.method = 'POST';
    req.httpVersion = '1.1';
    req.httpVersionMajor = 1;
    req.httpVersionMinor = 1;
    req.headers = headers;
    req.complete = true;
    Reflect.set(req, '_read', endOfBody);
    const res: Response = Reflect.construct(ServerResponse, [req], this.#Response);
    req.res = res;
    res.req = req;
    res.locals = Object.create(null);
    Reflect.set(res, 'socket', socket);
    return { req, res };
  }
}

/** A constructor whose prototype is the app's, for `Reflect.construct` to make new objects by. */
function constructorOf(app: Application, name: 'request' | 'response'): () => void {
  const constructor = function message(): void {};
  constructor.prototype = Reflect.get(app, name);
  return constructor;
}

function endOfBody(this: IncomingMessage): void {
  this.push(null);
}
