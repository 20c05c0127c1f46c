import { isDurableError, type StoreCapabilities } from '@durable-api/core';
import type { Redis } from 'ioredis';
import type { Connection } from './connection.ts';
import { assessDurability, leastDurability, parseServerConfig } from './durability.ts';

type Durability = StoreCapabilities['durability'];

/**
 * Looks at the configuration of the server, or of all masters of the Cluster, and tells what an
 * acknowledged write survives. Those that do not answer are left out, as long as one does: they take no
 * writes either. @throws DurableError `options_invalid` for a server that is refused.
 */
export async function verifyServers(
  connection: Connection,
  acceptsVolatile: boolean,
): Promise<Durability> {
  const looked = await Promise.allSettled(
    connection.servers.map((server) =>
      connection.call(`${server.options.host}:${server.options.port}`, async () => {
        const [info, config] = await Promise.all([server.info(), configOf(server)]);
        return assessDurability(parseServerConfig(info, config), acceptsVolatile);
      }),
    ),
  );
  const known = looked.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  for (const each of looked) {
    if (each.status === 'fulfilled') continue;
    const isRefused = isDurableError(each.reason) && each.reason.code === 'options_invalid';
    if (isRefused || known.length === 0) throw each.reason;
  }
  return leastDurability(known);
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
