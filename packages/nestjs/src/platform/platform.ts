import type { PlainReply } from '@durable-api/core';
import type { HttpServer } from '@nestjs/common';
import type { DurableRequest } from '../durable-request.ts';
import { expressPlatform } from './express-platform.ts';
import { fastifyPlatform } from './fastify-platform.ts';

/** Opens the stream that a request has a ticket for; null when it has none that is good. */
export type TicketOpener = (
  request: DurableRequest,
  response: unknown,
) => Promise<PlainReply | null>;

/** What differs between the HTTP frameworks under Nest. */
export interface Platform {
  /** How the framework is called by the adapter's `getType()`. */
  readonly type: 'express' | 'fastify';
  /**
   * Called before Nest registers the routes of controllers. `openByTicket` is asked in front of their
   * guards; null where there are no tickets.
   */
  prepare(openByTicket: TicketOpener | null): void;
  /** Writes an answer, past interceptors and serialisers. */
  send(reply: PlainReply, request: DurableRequest, response: unknown): void;
  /** Calls `listener` when the connection closes. */
  onClose(response: unknown, listener: () => void): void;
  /** Leaves the request to the app's other routes. */
  passOn(response: unknown, next: unknown): void;
}

/** The platform of an app; null when it is neither Express nor Fastify. */
export function platformOf(adapter: HttpServer): Platform | null {
  const type: unknown = adapter.getType();
  if (type === 'express') return expressPlatform(adapter);
  if (type === 'fastify') return fastifyPlatform(adapter);
  return null;
}
