import type { Store, WebhookOptions } from '@durable-api/core';
import type { AdapterData } from '../adapter/adapter.ts';

/** What a test wants of a gateway; the names are those of its options. */
export interface GatewaySetup {
  readonly store: Store;
  readonly adminKeys: readonly string[];
  readonly open?: boolean;
  readonly redeliverMs?: number;
  readonly mirrorIntent?: boolean;
  readonly maxStreams?: number;
  /** The option of the durable API, not of the gateway. */
  readonly webhooks?: WebhookOptions;
}

/** A real server with a gateway, and nothing else, mounted. */
export interface GatewayServer {
  /** Where it listens, on 127.0.0.1, with the path of the mount if there is one. */
  readonly baseUrl: string;
  /** Stops the durable API with this grace, then closes the server. */
  stop(graceMs: number): Promise<void>;
}

/** Starts a real server on 127.0.0.1, on a free port, and resolves when it listens. */
export type GatewayFactory = (setup: GatewaySetup) => Promise<GatewayServer>;

/** What {@link gatewayConformance} takes beside the factory. */
export interface GatewayConformanceOptions {
  /** Makes the data that one test uses. Default: in memory. */
  readonly createData?: () => AdapterData | Promise<AdapterData>;
}
