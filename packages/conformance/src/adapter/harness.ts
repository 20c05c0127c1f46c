import { memoryData, memoryStore, type DurableApiOptions } from '@durable-api/core';
import type { AdapterConformanceOptions, AdapterData, AdapterFactory } from './adapter.ts';
import type { FixtureRequest } from './adapter.ts';
import { fixtureTenant, type FixtureOperation, type FixtureRoute } from './fixture-operation.ts';
import { StoreProbe } from './store-probe.ts';
import { TestServer } from './test-server.ts';

/** What a test serves. */
export interface Serving {
  readonly operations: readonly FixtureOperation[];
  readonly routes?: readonly FixtureRoute[];
  /** Options that differ from the suite's. */
  readonly options?: Partial<DurableApiOptions<FixtureRequest>>;
  /** Data of an earlier server of the same test; default: fresh data. */
  readonly data?: AdapterData;
}

/** Starts the servers of a test and takes them down after it. */
export class Harness {
  /** The code of a body with keys that poison prototypes. */
  readonly poisonProblem: NonNullable<AdapterConformanceOptions['poisonProblem']>;
  readonly #factory: AdapterFactory;
  readonly #createData: () => AdapterData | Promise<AdapterData>;
  readonly #servers: TestServer[] = [];
  readonly #data = new Set<AdapterData>();

  constructor(factory: AdapterFactory, options: AdapterConformanceOptions) {
    this.#factory = factory;
    this.#createData = options.createData ?? inMemory;
    this.poisonProblem = options.poisonProblem ?? 'payload_forbidden_key';
  }

  /** Serves these fixtures. Backoff takes no time, and every random choice is the smallest. */
  async serve({ operations, routes = [], options, data }: Serving): Promise<TestServer> {
    const used = data ?? (await this.#createData());
    this.#data.add(used);
    const probe = new StoreProbe(await used.open());
    const server = await this.#factory({
      options: {
        store: probe.store,
        random: () => 0,
        identify: (request) => fixtureTenant(request.headers.authorization) ?? 'anyone',
        ...options,
      },
      operations,
      routes,
    });
    const started = new TestServer(server, probe, used);
    this.#servers.push(started);
    return started;
  }

  /** Ends what the test has started. */
  async dispose(): Promise<void> {
    for (const server of this.#servers.splice(0).toReversed()) {
      server.probe.heal();
      server.close();
      await server.stop(0);
    }
    for (const data of this.#data) await data.dispose();
    this.#data.clear();
  }
}

function inMemory(): AdapterData {
  const data = memoryData();
  return { open: () => memoryStore(data), dispose: () => {} };
}
