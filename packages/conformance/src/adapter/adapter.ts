import type { IncomingHttpHeaders } from 'node:http';
import type { DurableApiOptions, Store } from '@durable-api/core';
import type { FixtureOperation, FixtureRoute } from './fixture-operation.ts';

/** What every framework's request has, so that the suite can identify its sender. */
export interface FixtureRequest {
  readonly headers: IncomingHttpHeaders;
}

/** What a test wants served. */
export interface AdapterSetup {
  /** The options to create the durable API with, as they are. */
  readonly options: DurableApiOptions<FixtureRequest>;
  readonly operations: readonly FixtureOperation[];
  /** The app's own routes; mounted after the operations. */
  readonly routes: readonly FixtureRoute[];
}

/** A framework's real server with the fixtures mounted. */
export interface AdapterServer {
  /** Where it listens, on 127.0.0.1, with the path prefix of the mounts if there is one. */
  readonly baseUrl: string;
  /**
   * Stops the durable API with this grace, then closes the server, in the way that the adapter's
   * documentation tells its users. Resolves when the server has closed; force-closes no connection.
   */
  stop(graceMs: number): Promise<void>;
}

/** Starts a real server on 127.0.0.1, on a free port, and resolves when it listens. */
export type AdapterFactory = (setup: AdapterSetup) => Promise<AdapterServer>;

/** Data that stores are opened on, one after the other like the processes of a restart. */
export interface AdapterData {
  /** A store on this data that is not migrated yet. */
  open(): Store | Promise<Store>;
  /** Removes the data, after all stores on it were closed. */
  dispose(): void | Promise<void>;
}

/** What {@link adapterConformance} takes beside the factory. */
export interface AdapterConformanceOptions {
  /** Makes the data that one test uses. Default: in memory. */
  readonly createData?: () => AdapterData | Promise<AdapterData>;
  /**
   * What a body with a key `__proto__` or `constructor.prototype` is answered with. A framework whose
   * own parser refuses such a body may not tell it from a malformed one: then it is
   * `body_unreadable`. Default: `payload_forbidden_key`.
   */
  readonly poisonProblem?: 'payload_forbidden_key' | 'body_unreadable';
}
