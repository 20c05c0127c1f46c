import type { IncomingHttpHeaders } from 'node:http';
import type { FullReply, PlainReply } from '@durable-api/core';
import type { Caller } from '../access/caller.ts';
import type { JsonObject } from './json.ts';

/** A request to the gateway, with its caller known. */
export interface GatewayRequest {
  readonly method: string;
  /** What the route's `:names` and `*` stand for, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The body; `{}` when there was none. */
  readonly body: JsonObject;
  readonly caller: Caller;
  /** The `owner_agent` of query or header, as it was written. */
  readonly ownerAgent: string | undefined;
  readonly idempotencyKey: string | undefined;
}

/** One call of the protocol. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Like `/v1/intents/:id/events`; a `*` takes one or more segments. */
  readonly path: string;
  /** Whether it needs no key. */
  readonly isOpen?: boolean;
  readonly answer: (request: GatewayRequest) => Promise<PlainReply> | PlainReply;
}

/** An answer whose body is this object. Every successful call of the protocol is answered 200. */
export function ok(body: JsonObject): FullReply {
  return rawOk(JSON.stringify(body));
}

/** The same for what is JSON already. */
export function rawOk(json: string): FullReply {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { kind: 'full', status: 200, headers, body: json };
}
