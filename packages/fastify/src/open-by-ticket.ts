import type { DurableApi } from '@durable-api/core';
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { plainRequest } from './plain-request.ts';
import { sendPlain } from './send-plain.ts';
import { EVENTS_OF_INTENT, intentIdOf } from './sibling-routes.ts';

/** Answers requests for events that bear a ticket, and leaves all others to the hooks that follow. */
export function openByTicket(api: DurableApi<FastifyRequest>): onRequestAsyncHookHandler {
  return async (request, reply) => {
    // Fastify's own 404 has no config.
    const config: unknown = request.routeOptions.config;
    if (Reflect.get(Object(config), EVENTS_OF_INTENT) !== true) return undefined;
    const asked = {
      subPath: `/${intentIdOf(request)}/events`,
      segmentCount: 2,
      capture: () => Promise.reject(new TypeError('This is no submit.')),
    };
    const plain = await api.handleTicket(plainRequest(request, reply, asked));
    if (plain === null) return undefined;
    const body = sendPlain(plain, request, reply);
    return plain.kind === 'stream' ? reply : reply.send(body);
  };
}
