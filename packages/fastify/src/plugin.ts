import { DurableApi } from '@durable-api/core';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { DurableRoute } from './durable-route.ts';
import { refuseMissedRoutes } from './missed-route.ts';
import { openByTicket } from './open-by-ticket.ts';
import type { DurableApiPluginOptions } from './options.ts';

/**
 * Makes routes with `config: { durable: true }` durable operations. Register it with `await`, before
 * the routes and after the plugins that their handlers use.
 * @throws DurableError `options_invalid` naming each wrong option.
 */
export const durableApi: FastifyPluginAsync<DurableApiPluginOptions> = fastifyPlugin(plugin, {
  name: '@durable-api/fastify',
  fastify: '5.x',
});

async function plugin(
  app: FastifyInstance,
  { graceMs, ...options }: DurableApiPluginOptions,
): Promise<void> {
  const api = new DurableApi<FastifyRequest>({ logger: app.log, ...options });
  const boot = Promise.withResolvers<void>();
  const ready = boot.promise.catch((): Promise<never> => new Promise(() => {}));
  const routes: DurableRoute[] = [];
  const closing = new Set<FastifyInstance>();
  const stop = (): Promise<void> => api.stop(graceMs === undefined ? {} : { graceMs });

  const logged = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => app.log.error(error));

  app.decorate('durableApi', api);

  // In front of the hooks that are added after this plugin, which ask for what `EventSource` cannot send.
  if (api.hasTickets) app.addHook('onRequest', openByTicket(api));

  refuseMissedRoutes(app);
  app.addHook('onRoute', function addDurableRoute(route) {
    const { durable } = { ...route.config };
    if (durable === undefined || durable === false) return;
    const setup = {
      api,
      scope: this,
      options: durable === true ? {} : durable,
      ready,
    };
    const durableRoute = new DurableRoute(setup, route);
    durableRoute.takeOver(route);
    routes.push(durableRoute);
    for (const sibling of durableRoute.siblings()) this.route(sibling);
    if (closing.has(this)) return;
    closing.add(this);
    // A scope's last hook runs first: what the scope opened stays open until its attempts have ended.
    this.addHook('onClose', stop);
  });

  app.addHook('onReady', (done) => {
    for (const route of routes) route.declare();
    // Called after all `onReady` hooks, so that no handler runs before what they prepare.
    app.ready((error) => (error ? boot.reject(error) : boot.resolve()));
    done();
  });

  // What this process has claimed is for another one, and its handlers are never called.
  boot.promise.catch(() => logged(api.stop({ graceMs: 0 })));

  // Not waited for: streams end at once, and only what they leave open may keep the server from closing.
  app.addHook('preClose', (done) => {
    void logged(stop());
    done();
  });
  app.addHook('onClose', stop);
}
