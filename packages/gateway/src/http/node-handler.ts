import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { checkPayload, sendReply, type PlainReply } from '@durable-api/core';
import type { Caller } from '../access/caller.ts';
import { addressKey, type HomeAddress } from '../addresses/address.ts';
import { AxpError, errorReply, invalid } from './errors.ts';
import { readBody } from './read-body.ts';
import type { GatewayRequest, Route } from './route.ts';
import { familyOf, RouteTable } from './route-table.ts';
import { LEFT_OUT } from './left-out.ts';
import type { Logger } from '@durable-api/core';

/** A middleware of Node's own requests, as Express, Connect and Nest take it. */
export type NodeHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  next?: (error?: unknown) => void,
) => void;

/** What the handler needs. */
export interface NodeHandlerSetup {
  readonly routes: readonly Route[];
  readonly home: HomeAddress;
  readonly logger: Logger;
  readonly maxBodyBytes: number;
  readonly now: () => number;
  /** @throws AxpError 401 */
  readonly authenticate: (headers: IncomingHttpHeaders) => Promise<Caller>;
  /** @throws AxpError 403 for a caller who may not call this now */
  readonly admit: (caller: Caller, route: Route) => Promise<void>;
}

/** Deepest nesting of a body. */
const MAX_DEPTH = 64;

/** Makes the middleware that answers the protocol's paths, and passes on all others. */
export function nodeHandler(setup: NodeHandlerSetup): NodeHandler {
  const table = new RouteTable(setup.routes);
  const families = new Set([
    ...setup.routes.map((route) => familyOf(route.path.slice(1).split('/'))),
    ...LEFT_OUT,
  ]);
  return (req, res, next) => {
    const url = req.url ?? '/';
    const queryAt = url.indexOf('?');
    const path = queryAt === -1 ? url : url.slice(0, queryAt);
    const segments = path.split('/').slice(1);
    const isOurs = path === '/health' || (segments[0] === 'v1' && families.has(familyOf(segments)));
    if (!isOurs && next !== undefined) return next();
    const query = new URLSearchParams(queryAt === -1 ? '' : url.slice(queryAt + 1));
    void answer(setup, table, { req, segments, query }).then(
      (reply) => send(reply, req, res),
      (error: unknown) => send(errorReply(error, setup.now(), setup.logger), req, res),
    );
  };
}

interface Asked {
  readonly req: IncomingMessage;
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

async function answer(
  setup: NodeHandlerSetup,
  table: RouteTable,
  { req, segments, query }: Asked,
): Promise<PlainReply> {
  const method = req.method ?? 'GET';
  const found = table.find(method, segments);
  if (found === null) throw new AxpError(404, 'route_not_found', 'There is no such call here.');
  if ('allowed' in found) {
    const allow = found.allowed.join(', ');
    throw new AxpError(405, 'method_not_allowed', `Use ${allow} here.`, { allow });
  }
  const { route, params } = found;
  const caller = await (route.isOpen === true ? NOBODY : setup.authenticate(req.headers));
  await setup.admit(caller, route);
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const body = hasBody ? await readBody(req, setup.maxBodyBytes) : {};
  checkPayload(body, { maxPayloadBytes: setup.maxBodyBytes, maxPayloadDepth: MAX_DEPTH });
  const request: GatewayRequest = {
    method,
    params,
    query,
    headers: req.headers,
    body,
    caller,
    ownerAgent: ownerAgent(setup.home, query, req.headers),
    idempotencyKey: idempotencyKey(req.headers),
  };
  return route.answer(request);
}

const NOBODY: Caller = { kind: 'anonymous', id: '', keyId: null };

/** @throws AxpError 400 when query and header name two owners. */
function ownerAgent(
  home: HomeAddress,
  query: URLSearchParams,
  headers: IncomingHttpHeaders,
): string | undefined {
  const asked = query.get('owner_agent') ?? undefined;
  const header = one(headers['x-owner-agent']);
  if (asked === undefined || header === undefined) return asked ?? header;
  if (addressKey(asked, home) === addressKey(header, home)) return asked;
  const message = 'owner_agent and x-owner-agent name two different agents.';
  throw new AxpError(400, 'owner_conflict', message);
}

function idempotencyKey(headers: IncomingHttpHeaders): string | undefined {
  const key = one(headers['idempotency-key']);
  if (key === undefined) return undefined;
  if (key.length >= 1 && key.length <= 255) return key;
  throw invalid('Idempotency-Key must have 1 to 255 characters');
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

function send(reply: PlainReply, req: IncomingMessage, res: ServerResponse): void {
  if (res.closed || res.headersSent) return;
  res.setHeader('x-request-id', randomUUID());
  const trace = one(req.headers['x-trace-id']);
  // What Node would refuse to send back must not take the answer down with it.
  if (trace !== undefined && /^[\x20-\x7e]{1,256}$/.test(trace)) res.setHeader('x-trace-id', trace);
  // The rest of a body that was refused is not read.
  if (!req.complete && reply.status >= 400) res.setHeader('connection', 'close');
  if (reply.kind === 'stream') req.socket.setTimeout(0);
  sendReply(reply, res, req.method ?? 'GET');
}
