import type { StoreCapabilities } from '@durable-api/core';
import type { Redis } from 'ioredis';
import type { Connection } from './connection.ts';
import { assessDurability, leastDurability, parseServerConfig } from './durability.ts';
import { isCluster } from './own-client.ts';

/**
 * Looks at the configuration of the server, or of all masters of the Cluster, and tells what an
 * acknowledged write survives. @throws DurableError `options_invalid` for a server that is refused.
 */
export async function verifyServers(
  connection: Connection,
  acceptsVolatile: boolean,
): Promise<StoreCapabilities['durability']> {
  return connection.call(async (client) => {
    const servers = isCluster(client) ? client.nodes('master') : [client];
    return leastDurability(
      await Promise.all(servers.map((server) => durabilityOf(server, acceptsVolatile))),
    );
  });
}

async function durabilityOf(
  server: Redis,
  acceptsVolatile: boolean,
): Promise<StoreCapabilities['durability']> {
  const [info, config] = await Promise.all([server.info(), configOf(server)]);
  return assessDurability(parseServerConfig(info, config), acceptsVolatile);
}

async function configOf(server: Redis): Promise<readonly string[] | null> {
  try {
    const reply = await server.config('GET', 'appendfsync', 'no-appendfsync-on-rewrite');
    return Array.isArray(reply) ? reply.map(String) : null;
  } catch (error) {
    // Hosted servers often have no CONFIG; what INFO tells must do then.
    if (error instanceof Error && error.name === 'ReplyError') return null;
    throw error;
  }
}
