import type { StoreCapabilities } from '@durable-api/core';
import type { Connection } from './connection.ts';
import { verifyServers } from './verify-servers.ts';

/** Knows whether the servers are fit to be written to, and looks again when they may be others. */
export class Verification {
  readonly #connection: Connection;
  readonly #acceptsVolatile: boolean;
  #looking: Promise<void> | null = null;
  #durability: StoreCapabilities['durability'] = 'none';

  constructor(connection: Connection, acceptsVolatile: boolean) {
    this.#connection = connection;
    this.#acceptsVolatile = acceptsVolatile;
  }

  /** What acknowledged writes survive; `none` until somebody has looked. */
  get durability(): StoreCapabilities['durability'] {
    return this.#durability;
  }

  /** Looks at the servers, unless that has been done. @throws DurableError for one that is refused. */
  ensure(): Promise<void> {
    this.#looking ??= this.#look();
    return this.#looking;
  }

  /** The servers may be others now. */
  outdate(): void {
    this.#looking = null;
  }

  async #look(): Promise<void> {
    try {
      this.#durability = await verifyServers(this.#connection, this.#acceptsVolatile);
    } catch (error) {
      this.#looking = null;
      throw error;
    }
  }
}
