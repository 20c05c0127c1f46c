import type { GatewayFactory } from '@durable-api/conformance';
import { durableApi as expressApi } from '@durable-api/express';
import { durableApi as fastifyApi } from '@durable-api/fastify';
import express from 'express';
import fastify from 'fastify';
import { gateway, gatewayPlugin } from '../src/index.ts';
import { listenOn } from './listen-on.ts';

/** In an Express app, in front of its own routes. */
export const onExpress: GatewayFactory = async ({ store, webhooks, ...options }) => {
  const api = expressApi({ store, webhooks });
  const app = express();
  app.use(gateway(api, options));
  app.use(express.json());
  app.get('/own', (_req, res) => void res.json({ own: true }));
  await api.ready();
  return listenOn(app, (graceMs) => api.stop({ graceMs }));
};

/** In an Express app behind its body parser, under a prefix. */
export const onExpressBehindParser: GatewayFactory = async ({ store, webhooks, ...options }) => {
  const api = expressApi({ store, webhooks });
  const app = express();
  app.use('/axp', express.json({ limit: '1mb' }), gateway(api, options), answerBadJson);
  const server = await listenOn(app, (graceMs) => api.stop({ graceMs }));
  return { ...server, baseUrl: `${server.baseUrl}/axp` };
};

/** What a parser refuses never comes to the gateway; the app answers in its own way. */
const answerBadJson: express.ErrorRequestHandler = (error, _req, res, _next) => {
  res.status(Number(Object(error).status ?? 500)).json({ ok: false });
};

/** In a Fastify app. */
export const onFastify: GatewayFactory = async ({ store, webhooks, ...options }) => {
  const app = fastify();
  await app.register(fastifyApi, { store, webhooks });
  await app.register(gatewayPlugin(gateway(app.durableApi, options)));
  app.get('/own', async () => ({ own: true }));
  const baseUrl = await app.listen({ host: '127.0.0.1', port: 0 });
  return { baseUrl, stop: () => app.close() };
};
