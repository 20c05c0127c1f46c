import type { Clock } from '@durable-api/core';
import type { PgClient, PgPool } from './pg-pool.ts';
import { within } from './within.ts';

/**
 * A connection of the pool; one that comes too late goes straight back. Pools may wait for ever.
 * @throws DurableError `store_unavailable` when it takes longer than `timeoutMs`
 */
export async function takeClient(pool: PgPool, timeoutMs: number, clock: Clock): Promise<PgClient> {
  const connecting = pool.connect();
  try {
    return await within(timeoutMs, clock, 'getting a connection', connecting);
  } catch (error) {
    connecting.then(
      (client) => client.release(),
      () => {},
    );
    throw error;
  }
}
