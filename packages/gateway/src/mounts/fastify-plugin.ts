import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NodeHandler } from '../http/node-handler.ts';

/** What the plugin needs of a Fastify instance. */
export interface FastifyScope {
  addHook(name: 'onRequest', hook: OnRequest): unknown;
}

type OnRequest = (
  request: { readonly raw: IncomingMessage },
  reply: { readonly raw: ServerResponse; hijack(): unknown },
  done: (error?: Error) => void,
) => void;

/**
 * Makes a Fastify plugin of a gateway: `app.register(gatewayPlugin(gateway(app.durableApi)))`. It answers
 * in front of Fastify's routing and body parsers, which know neither the addresses nor the empty JSON bodies
 * of the protocol; hooks that were added before it still come first.
 */
export function gatewayPlugin(gateway: NodeHandler): (app: FastifyScope) => Promise<void> {
  const plugin = async (app: FastifyScope): Promise<void> => {
    app.addHook('onRequest', (request, reply, done) => {
      let isPassedOn = false;
      gateway(request.raw, reply.raw, () => {
        isPassedOn = true;
        done();
      });
      if (!isPassedOn) reply.hijack();
    });
  };
  // Else Fastify would keep the hook to a scope of its own, which has no routes.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true });
}
