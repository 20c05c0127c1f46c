import {
  hasLeft,
  mergeVary,
  problemReply,
  sendReply,
  type PlainReply,
  type ReplyTarget,
} from '@durable-api/core';
import type { HttpServer } from '@nestjs/common';
import { isRequest, type DurableRequest } from '../durable-request.ts';
import { fastifyBodyError } from './fastify-body-error.ts';
import { isIntentUrl } from './intent-url.ts';
import type { Platform } from './platform.ts';

/** The name of the constraint by which Fastify tells our routes from the app's of the same shape. */
export const INTENT_CONSTRAINT = 'durableIntent';
/** The member of a route's config that says that it is ours. */
export const ROUTE_CONFIG = 'durable';

/** The part of Fastify's reply that is used here. */
interface FastifyReply {
  readonly raw: ReplyTarget & {
    setHeader(name: string, value: number | string | string[]): unknown;
  };
  getHeader(name: string): number | string | string[] | undefined;
  getHeaders(): Record<string, number | string | string[] | undefined>;
  code(status: number): unknown;
  headers(headers: Readonly<Record<string, string>>): unknown;
  header(name: string, value: string): unknown;
  serializer(serialize: (payload: unknown) => string): unknown;
  send(body?: string | Uint8Array): unknown;
  hijack(): unknown;
  callNotFound(): unknown;
}

type Done = (error: null, payload: unknown) => void;

/** The part of a route's options that is used here. */
interface RouteOptions {
  readonly config?: Readonly<Record<string, unknown>>;
  errorHandler?: (error: unknown, request: unknown, reply: FastifyReply) => void;
  preParsing?: unknown;
}

/** The part of a Fastify instance that is used here. */
interface FastifyInstance {
  addConstraintStrategy(strategy: object): void;
  addHook(name: 'onRoute', hook: (route: RouteOptions) => void): unknown;
  addHook(
    name: 'onRequest',
    hook: (request: unknown, response: unknown) => Promise<unknown>,
  ): unknown;
}

/** Nest on Fastify. */
export function fastifyPlatform(adapter: HttpServer): Platform {
  const instance: FastifyInstance = adapter.getInstance();
  return {
    type: 'fastify',
    prepare(openByTicket) {
      if (openByTicket !== null) {
        instance.addHook('onRequest', async (request, response) => {
          const reply = isRequest(request) ? await openByTicket(request, response) : null;
          if (reply === null || !isRequest(request)) return undefined;
          send(reply, request, response);
          return response;
        });
      }
      instance.addConstraintStrategy(intentConstraint());
      instance.addHook('onRoute', (route) => {
        if (route.config?.[ROUTE_CONFIG] === undefined) return;
        route.errorHandler = answerBodyErrors;
        route.preParsing = [ignoreEmptyBody, route.preParsing ?? []].flat();
      });
    },
    send,
    onClose(response, listener) {
      if (!isReply(response)) return;
      if (hasLeft(response.raw)) listener();
      else response.raw.on('close', listener);
    },
    passOn(response) {
      if (isReply(response)) response.callNotFound();
    },
  };
}

function send(reply: PlainReply, request: DurableRequest, response: unknown): void {
  if (!isReply(response)) throw new TypeError('This is no reply of Fastify.');
  if (hasLeft(response.raw)) return;
  if (reply.kind === 'full') sendFull(response, reply.status, reply.headers, reply.body);
  else {
    // Past Fastify, with the headers that hooks have set: nothing may hold back or compress it.
    for (const [name, value] of Object.entries(response.getHeaders())) {
      if (value !== undefined) response.raw.setHeader(name, value);
    }
    response.hijack();
    sendReply(reply, response.raw, request.method);
  }
}

function sendFull(
  response: FastifyReply,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
): void {
  const vary = mergeVary(response.getHeader('vary'), headers['vary']);
  response.code(status);
  response.headers(headers);
  if (vary !== undefined) response.header('vary', vary);
  // Text that no serializer of the app touches; as bytes it would leave in a packet of its own.
  if (typeof body === 'string') response.serializer(String);
  if (body.length === 0) response.send();
  else response.send(body);
}

function answerBodyErrors(error: unknown, _request: unknown, reply: FastifyReply): void {
  const problem = fastifyBodyError(error);
  // Fastify hands what is thrown here to Nest's error handler.
  if (problem === null) throw error;
  const { status, headers, body } = problemReply(problem);
  sendFull(reply, status, headers, body);
}

/** Clients send `Content-Type: application/json` also with a cancel that has no body. */
function ignoreEmptyBody(
  request: { readonly raw: { readonly headers: Record<string, unknown> } },
  _reply: unknown,
  payload: unknown,
  done: Done,
): void {
  const { headers } = request.raw;
  const hasBody = 'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) > 0;
  if (!hasBody) delete headers['content-type'];
  done(null, payload);
}

/** Lets the router of Fastify prefer our routes for URLs of intents, and only for them. */
function intentConstraint(): object {
  return {
    name: INTENT_CONSTRAINT,
    storage() {
      const stores = new Map<unknown, unknown>();
      return {
        get: (value: unknown) => stores.get(value) ?? null,
        set: (value: unknown, store: unknown) => stores.set(value, store),
      };
    },
    deriveConstraint: (request: { readonly url: string }) =>
      isIntentUrl(request.url) ? 'yes' : undefined,
    mustMatchWhenDerived: false,
  };
}

function isReply(value: unknown): value is FastifyReply {
  return typeof value === 'object' && value !== null && 'hijack' in value && 'raw' in value;
}
