import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AdapterFactory, FixtureOperation } from '@durable-api/conformance';
import { fixtureTenant } from '@durable-api/conformance';
import type { Application, Handler, Request, RequestHandler, Response, Router } from 'express';
import { durable, durableApi } from '../src/index.ts';

/** What the suite needs of an Express version. */
export interface ExpressVersion {
  (): Application;
  Router(): Router;
  json(options?: { limit?: string | number }): Handler;
}

/** What the app has beside the fixtures, and where those are mounted. */
export interface Surroundings {
  readonly middleware: readonly RequestHandler[];
  readonly prefix: string;
}

/** Serves the fixtures of the conformance suite as an app's own handlers, with this version of Express. */
export function serveWith(
  express: ExpressVersion,
  { middleware, prefix }: Surroundings = { middleware: [], prefix: '' },
): AdapterFactory {
  return async ({ options, operations, routes }) => {
    const api = durableApi(options);
    const host = express();
    for (const one of middleware) host.use(one);
    const app = prefix === '' ? host : express.Router();
    if (prefix !== '') host.use(prefix, app);
    for (const fixture of operations) {
      const guards = fixture.isProtected ? [requireTenant] : [];
      const operation = api.operation(handlerOf(fixture), {
        name: fixture.name,
        ...fixture.options,
      });
      app.use(fixture.path, api.tickets(), ...guards, express.json(), operation);
    }
    for (const { method, path, body } of routes) {
      const answer: RequestHandler = (_req, res) => {
        res.json(body);
      };
      if (method === 'GET') app.get(path, answer);
      else app.post(path, answer);
    }
    const server = createServer(host).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('No port was given.');
    return {
      baseUrl: `http://127.0.0.1:${address.port}${prefix}`,
      async stop(graceMs) {
        await api.stop({ graceMs });
        server.close();
        await once(server, 'close');
      },
    };
  };
}

const requireTenant: RequestHandler = (req, res, next) => {
  if (fixtureTenant(req.headers.authorization) === null) res.status(401).json({ error: 'who?' });
  else next();
};

function handlerOf(fixture: FixtureOperation): (req: Request, res: Response) => Promise<unknown> {
  return async (req, res) => {
    const { params, query, body } = req;
    const value = await fixture.handle({ params, query, body, durable: durable(req) });
    if (fixture.answerBy === 'return') return value;
    res.status(fixture.status).set(fixture.headers);
    if (Buffer.isBuffer(value)) res.end(value);
    else res.json(value);
    return undefined;
  };
}
