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
    // oxlint-disable-next-line no-underscore-dangle -- the method that a readable stream must have
    req._read = endOfBody;
    const res: Response = Reflect.construct(ServerResponse, [req], this.#Response);
    req.res = res;
    res.req = req;
    res.locals = Object.create(null);
    Reflect.set(res, 'socket', socket);
    return { req, res };
  }
}

/** A constructor that `Reflect.construct` takes the prototype of a new object from. */
function constructorOf(app: Application, name: 'request' | 'response'): () => void {
  const prototype: unknown = Reflect.get(app, name);
  if (typeof prototype !== 'object' || prototype === null) {
    throw new TypeError(`The app is no Express app: it has no ${name}.`);
  }
  const constructor = function message(): void {};
  constructor.prototype = prototype;
  return constructor;
}

function endOfBody(this: IncomingMessage): void {
  this.push(null);
}
