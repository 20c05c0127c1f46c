import { once } from 'node:events';
import { adapterConformance, fixtureTenant, type FixtureOperation } from '@durable-api/conformance';
import express5, { type Request, type RequestHandler, type Response } from 'express';
import express4 from 'express4';
import { durable, durableApi } from './index.ts';

/** A handler of the kind that apps have already. */
function handlerOf(fixture: FixtureOperation) {
  return async (req: Request, res: Response): Promise<unknown> => {
    const { params, query, body } = req;
    const value = await fixture.handle({ params, query, body, durable: durable(req) });
    if (fixture.answerBy === 'return') return value;
    res.status(fixture.status).set(fixture.headers).send(value);
  };
}

const requireTenant: RequestHandler = (req, res, next) => {
  if (fixtureTenant(req.headers.authorization) !== null) next();
  else res.status(401).json({ error: 'Authenticate' });
};

// One body parser refuses what is too large, the other leaves that to the limits of the API.
for (const [version, express, limit] of [
  ['Express 5', express5, '100kb'],
  ['Express 4', express4, '1mb'],
] as const) {
  adapterConformance(version, async ({ options, operations, routes }) => {
    const api = durableApi(options);
    const app = express();
    for (const fixture of operations) {
      const { name, options, path } = fixture;
      const guards = fixture.isProtected ? [requireTenant] : [];
      const operation = api.operation(handlerOf(fixture), { ...options, name });
      app.use(path, ...guards, express.json({ limit }), operation);
    }
    for (const { method, path, body } of routes) {
      const respond: RequestHandler = (_req, res) => void res.json(body);
      if (method === 'GET') app.get(path, respond);
      else app.post(path, respond);
    }
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('No port.');
    return {
      baseUrl: `http://127.0.0.1:${address.port}`,
      async stop(graceMs) {
        await api.stop({ graceMs });
        server.close();
        await once(server, 'close');
      },
    };
  });
}
