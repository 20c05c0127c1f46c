import { memoryData, memoryStore } from '@durable-api/core';
import type { AdapterData } from '../adapter/adapter.ts';
import type { GatewayFactory, GatewaySetup } from './gateway.ts';
import { GatewayClient } from './gateway-client.ts';

/** The admin key of the suite. */
export const ADMIN_KEY = 'admin-key-of-the-suite';

/** A gateway under test. */
export interface TestGateway {
  readonly baseUrl: string;
  readonly data: AdapterData;
  /** A caller with the admin key, unless another key is given; null for none. */
  client(key?: string | null): GatewayClient;
  /** A caller with a fresh key of an agent. */
  agent(address: string): Promise<GatewayClient>;
  readonly stop: () => Promise<void>;
}

/** Starts the gateways of a test and takes them down after it. */
export class GatewayHarness {
  readonly #factory: GatewayFactory;
  readonly #createData: () => AdapterData | Promise<AdapterData>;
  readonly #stops: (() => Promise<void>)[] = [];
  readonly #clients: GatewayClient[] = [];
  readonly #data = new Set<AdapterData>();

  constructor(
    factory: GatewayFactory,
    createData: () => AdapterData | Promise<AdapterData> = inMemory,
  ) {
    this.#factory = factory;
    this.#createData = createData;
  }

  /** Serves a gateway; with the `data` of an earlier one it is the same after a restart. */
  async serve(
    options: Partial<Omit<GatewaySetup, 'store'>> & { readonly data?: AdapterData } = {},
  ): Promise<TestGateway> {
    const { data = await this.#createData(), ...setup } = options;
    this.#data.add(data);
    const store = await data.open();
    const server = await this.#factory({ adminKeys: [ADMIN_KEY], ...setup, store });
    const { baseUrl } = server;
    let stopped: Promise<void> | null = null;
    const client = (key: string | null = ADMIN_KEY): GatewayClient => {
      const made = new GatewayClient(baseUrl, key ?? undefined);
      this.#clients.push(made);
      return made;
    };
    const gateway: TestGateway = {
      baseUrl,
      data,
      client,
      async agent(address) {
        const admin = client();
        const { service_account: account } = await admin.post('/v1/service-accounts', {
          name: address,
        });
        const id = Object(account).service_account_id;
        const { key } = await admin.post(`/v1/service-accounts/${id}/keys`);
        return client(Object(key).token);
      },
      stop: () => (stopped ??= server.stop(0)),
    };
    this.#stops.push(gateway.stop);
    return gateway;
  }

  /** Ends what the test has started. */
  async dispose(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    for (const stop of this.#stops.splice(0).toReversed()) await stop();
    for (const data of this.#data) await data.dispose();
    this.#data.clear();
  }
}

function inMemory(): AdapterData {
  const data = memoryData();
  return { open: () => memoryStore(data), dispose: () => {} };
}
