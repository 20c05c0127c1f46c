import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  decodeInput,
  DurableApi,
  DurableError,
  errorReply,
  responseOfHttpError,
  sendReply,
  silentLogger,
  type CapturedRequest,
  type Operation,
  type StoredResponse,
} from '@durable-api/core';
import { adapterConformance } from './adapter-conformance.ts';
import type { AdapterServer, AdapterSetup } from './adapter.ts';
import { fixtureTenant, type FixtureOperation } from './fixture-operation.ts';

/** A mounted fixture: matches paths that begin with its own. */
interface Mount {
  readonly fixture: FixtureOperation;
  readonly operation: Operation;
}

interface Match extends Mount {
  readonly operationPath: string;
  readonly subPath: string;
  readonly params: Record<string, string>;
}

function match(mount: Mount, pathname: string): Match | null {
  const wanted = mount.fixture.path.split('/');
  const given = pathname.split('/');
  const params: Record<string, string> = {};
  for (const [i, segment] of wanted.entries()) {
    const actual = given[i];
    if (actual === undefined) return null;
    if (segment.startsWith(':')) params[segment.slice(1)] = decodeURIComponent(actual);
    else if (segment !== actual) return null;
  }
  const operationPath = given.slice(0, wanted.length).join('/');
  return { ...mount, operationPath, subPath: pathname.slice(operationPath.length) || '/', params };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch (cause) {
    throw new DurableError('body_unreadable', 'The body is not JSON. Send a JSON document.', {
      cause,
    });
  }
}

function respond(fixture: FixtureOperation, value: unknown): StoredResponse {
  const { status, headers } = fixture;
  if (Buffer.isBuffer(value)) return { status, headers, body: value };
  const body = value === undefined ? '' : JSON.stringify(value);
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(body),
  };
}

/** The smallest adapter: plain `node:http` in front of core. */
async function serve({ options, operations, routes }: AdapterSetup): Promise<AdapterServer> {
  const api = new DurableApi<IncomingMessage>(options);
  const mounts = operations.map((fixture): Mount => {
    const run = async (input: unknown, durable: Parameters<Operation['run']>[1]) => {
      const { body, rest } = decodeInput(input);
      const { params, query } = rest;
      const call = { params: Object(params), query: Object(query), body, durable };
      try {
        return respond(fixture, await fixture.handle(call));
      } catch (thrown) {
        const response = responseOfHttpError(thrown);
        if (response === null) throw thrown;
        return response;
      }
    };
    const compose: Operation['compose'] = (parts) => ({ ...parts });
    const operation = api.declare({ name: fixture.name, run, compose }, fixture.options);
    return { fixture, operation };
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, search, searchParams } = new URL(request.url ?? '/', 'http://x');
    const method = request.method ?? 'GET';
    for (const mount of mounts) {
      const found = match(mount, pathname);
      if (found === null) continue;
      const body = await readJson(request);
      const plain = {
        source: request,
        method,
        operationPath: found.operationPath,
        subPath: found.subPath,
        query: search.slice(1),
        headers: request.headers,
        capture: async (): Promise<CapturedRequest> => ({
          identity: { method, url: pathname + search },
          body,
          rest: {
            params: found.params,
            query: Object.fromEntries(searchParams),
            headers: { traceparent: request.headers['traceparent'] },
          },
        }),
        body: () => body,
        onClose: (listener: () => void) => {
          if (response.closed) listener();
          else response.on('close', listener);
        },
      };
      const opened = await api.handleTicket(plain);
      if (opened !== null) return sendReply(opened, response, method);
      if (found.fixture.isProtected && fixtureTenant(request.headers.authorization) === null) {
        response.writeHead(401).end();
        return;
      }
      const reply = await api.handle(found.operation, plain);
      if (reply !== null) return sendReply(reply, response, method);
    }
    const route = routes.find((one) => one.path === pathname && one.method === method);
    response.writeHead(route === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(route?.body ?? { error: 'Not found' }));
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      sendReply(errorReply(error, silentLogger()), response, request.method ?? 'GET');
    });
  });
  server.listen(0, '127.0.0.1');
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
}

adapterConformance('node:http', serve);
