import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { AttemptContext } from '@durable-api/core';
import type { StoredRequest } from './stored-request.ts';

/** The raw request of an attempt: no client is behind it, and its body is already read. */
export class AttemptRequest extends IncomingMessage {
  readonly stored: StoredRequest;
  readonly context: AttemptContext;
  originalUrl: string;

  /** `routeUrl` is where the route of attempts listens. */
  constructor(routeUrl: string, stored: StoredRequest, context: AttemptContext) {
    super(Object.assign(new Socket(), { encrypted: stored.isSecure }));
    this.stored = stored;
    this.context = context;
    this.httpVersion = '1.1';
    this.httpVersionMajor = 1;
    this.httpVersionMinor = 1;
    this.method = 'POST';
    this.url = routeUrl;
    this.originalUrl = stored.originalUrl;
    // Without a content type, which would have Fastify read a body.
    const { 'content-type': _type, ...headers } = stored.headers;
    this.headers = headers;
    this.complete = true;
    this.push(null);
  }

  /** Shows the URL of the submit, once Fastify has found the route by the other. */
  showUrl(): void {
    this.url = this.stored.url;
    this.originalUrl = this.stored.originalUrl;
  }

  /** Shows all headers, once Fastify has seen that there is no body to be read. */
  showHeaders(): void {
    this.headers = { ...this.stored.headers };
  }
}
