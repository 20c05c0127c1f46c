import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  DurableApi,
  memoryData,
  memoryStore,
  sendReply,
  type AttemptContext,
  type DurableApiOptions,
  type MemoryData,
  type Operation,
  type OperationOptions,
  type StoredResponse,
} from '@durable-api/core';

/** A handler: its body in, its JSON answer or whole response out. */
export type Handler = (body: unknown, context: AttemptContext) => unknown;

/** How to start an {@link ApiServer}. */
export interface ApiServerSetup {
  readonly operations: Readonly<Record<string, Handler>>;
  /** What survives a restart. */
  readonly data?: MemoryData;
  readonly port?: number;
  readonly options?: Partial<DurableApiOptions<IncomingMessage>>;
  readonly operationOptions?: OperationOptions;
  /** Sees every request first; true when it has dealt with it. */
  readonly before?: (req: IncomingMessage, res: ServerResponse) => boolean;
}

/** A request as the server received it. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

/** A durable API on plain `node:http`: `/{name}` is the operation of that name. */
export class ApiServer {
  readonly data: MemoryData;
  readonly port: number;
  readonly received: Received[] = [];
  readonly #setup: ApiServerSetup;
  readonly #server: Server;
  readonly #api: DurableApi<IncomingMessage>;
  readonly #operations: Map<string, Operation>;

  private constructor(setup: ApiServerSetup, server: Server, data: MemoryData) {
    this.data = data;
    this.#setup = setup;
    this.#server = server;
    this.port = addressOf(server).port;
    this.#api = new DurableApi({ ...setup.options, store: memoryStore(data) });
    this.#operations = new Map(
      Object.entries(setup.operations).map(([name, handler]) => {
        const run = async (input: unknown, context: AttemptContext): Promise<StoredResponse> =>
          responseOf(await handler(bodyOf(input), context));
        return [name, this.#api.declare({ name, run }, setup.operationOptions)];
      }),
    );
    server.on('request', (req, res) => void this.#answer(req, res));
  }

  static async start(setup: ApiServerSetup): Promise<ApiServer> {
    const server = createServer();
    server.listen(setup.port ?? 0, '127.0.0.1');
    await once(server, 'listening');
    return new ApiServer(setup, server, setup.data ?? memoryData());
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** How often a request with this method and path, a pattern, was received. */
  count(method: string, path: RegExp): number {
    return this.received.filter((r) => r.method === method && path.test(r.url)).length;
  }

  /** Cuts every connection at once, as a killed process does, and stops. */
  async kill(): Promise<void> {
    this.#server.closeAllConnections();
    await this.stop(0);
  }

  async stop(graceMs = 0): Promise<void> {
    this.#server.close();
    await this.#api.stop({ graceMs });
    this.#server.closeAllConnections();
  }

  /** The same API after a restart: same port, same data. */
  restart(setup: Partial<ApiServerSetup> = {}): Promise<ApiServer> {
    return ApiServer.start({ ...this.#setup, data: this.data, port: this.port, ...setup });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = req;
    this.received.push({ method, url, headers });
    if (this.#setup.before?.(req, res) === true) return;
    const { pathname, search } = new URL(url, 'http://localhost');
    const [, name = '', ...rest] = pathname.split('/');
    const operation = this.#operations.get(name);
    if (operation === undefined) return void res.writeHead(404).end();
    const body = await readJson(req);
    const reply = await this.#api.handle(operation, {
      source: req,
      method,
      operationPath: `/${name}`,
      subPath: `/${rest.join('/')}`,
      query: search.slice(1),
      headers,
      capture: () => ({ identity: { method, url }, body, rest: {} }),
      body: () => body,
      onClose: (listener) => void res.on('close', listener),
    });
    if (reply === null) res.writeHead(404).end();
    else sendReply(reply, res, method);
  }
}

/** A handler's whole response. */
export function respond(status: number, type: string, body: string | Uint8Array): StoredResponse {
  return { status, headers: { 'content-type': type }, body: Buffer.from(body) };
}

function responseOf(answer: unknown): StoredResponse {
  return isResponse(answer)
    ? answer
    : respond(200, 'application/json; charset=utf-8', JSON.stringify(answer ?? null));
}

function isResponse(value: unknown): value is StoredResponse {
  return typeof value === 'object' && value !== null && 'status' in value && 'body' in value;
}

function bodyOf(input: unknown): unknown {
  return typeof input === 'object' && input !== null && 'body' in input ? input.body : undefined;
}

async function readJson(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(Buffer.from(chunk));
  const text = Buffer.concat(chunks).toString();
  return text === '' ? undefined : JSON.parse(text);
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return address;
}
