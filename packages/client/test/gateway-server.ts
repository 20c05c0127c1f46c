import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DurableApi, memoryData, memoryStore, type MemoryData } from '@durable-api/core';
import { gateway, type GatewayOptions } from '@durable-api/gateway';

/** Opens the gateway of {@link LOCKED}. */
export const ADMIN_KEY = 'an admin key of the tests';

/** Options of a gateway that wants keys. */
export const LOCKED: GatewayOptions = { open: false, adminKeys: [ADMIN_KEY] };

/** How to start a {@link GatewayServer}. */
export interface GatewaySetup {
  /** What survives a restart. */
  readonly data?: MemoryData;
  readonly port?: number;
  readonly options?: GatewayOptions;
  /** Sees every request first; true when it has dealt with it. */
  readonly before?: (req: IncomingMessage, res: ServerResponse) => boolean;
}

/** A key of an agent. */
interface AgentKey {
  readonly token: string;
  readonly revoke: () => Promise<unknown>;
}

/** A real gateway on plain `node:http`. */
export class GatewayServer {
  readonly data: MemoryData;
  readonly port: number;
  readonly received: string[] = [];
  readonly #setup: GatewaySetup;
  readonly #server: Server;
  readonly #api: DurableApi;

  private constructor(setup: GatewaySetup, server: Server, port: number) {
    this.data = setup.data ?? memoryData();
    this.port = port;
    this.#setup = setup;
    this.#server = server;
    this.#api = new DurableApi({ store: memoryStore(this.data) });
    const handler = gateway(this.#api, { open: true, redeliverMs: 500, ...setup.options });
    server.on('request', (req, res) => {
      this.received.push(`${req.method} ${req.url}`);
      if (setup.before?.(req, res) !== true) handler(req, res);
    });
  }

  static async start(setup: GatewaySetup = {}): Promise<GatewayServer> {
    const server = createServer();
    server.listen(setup.port ?? 0, '127.0.0.1');
    await once(server, 'listening');
    const address: AddressInfo | string | null = server.address();
    if (address === null || typeof address === 'string') throw new Error('The server has no port.');
    return new GatewayServer(setup, server, address.port);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** How many requests of this pattern, such as `/^GET .*stream/`, were received. */
  count(pattern: RegExp): number {
    return this.received.filter((request) => pattern.test(request)).length;
  }

  /** Mints a key of the agent with this address, in a gateway that wants keys. */
  async agentKey(address: string): Promise<AgentKey> {
    const { service_account: account } = await this.#admin('', { name: address });
    const id = String(Object(account).service_account_id);
    const { key } = await this.#admin(`/${id}/keys`, {});
    const { token, key_id: keyId } = Object(key);
    return { token, revoke: () => this.#admin(`/${id}/keys/${keyId}/revoke`, {}) };
  }

  /** Cuts every connection at once, as a killed process does, and stops. */
  async kill(): Promise<void> {
    this.#server.closeAllConnections();
    await this.stop();
  }

  async stop(): Promise<void> {
    this.#server.close();
    await this.#api.stop({ graceMs: 0 });
    this.#server.closeAllConnections();
  }

  /** The same gateway after a restart: same port, same data. */
  restart(setup: Partial<GatewaySetup> = {}): Promise<GatewayServer> {
    return GatewayServer.start({ ...this.#setup, data: this.data, port: this.port, ...setup });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #admin(path: string, body: object): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.url}/v1/service-accounts${path}`, {
      method: 'POST',
      headers: { 'x-api-key': ADMIN_KEY, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return JSON.parse(await answer.text());
  }
}
