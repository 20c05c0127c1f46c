import { Cluster, findClusterTools } from '../../packages/store-postgres/test/support/cluster.ts';
import { RedisServer } from '../../packages/store-redis/test/support/redis-server.ts';

/** What a benched server process is told of the store. */
export type StoreEnv = Readonly<Record<'STORE' | 'STORE_URL', string>>;

/** Calls `body` with an empty Postgres as it is configured out of the box. */
export async function withPostgres<T>(body: (env: StoreEnv) => Promise<T>): Promise<T> {
  const tools = await findClusterTools();
  if (tools === null) throw new Error('This bench needs the programs of Postgres.');
  const cluster = await Cluster.start(tools);
  try {
    return await body({ STORE: 'postgres', STORE_URL: cluster.url });
  } finally {
    await cluster.remove();
  }
}

/** Calls `body` with an empty Redis that appends to a file and syncs it as `appendfsync` says. */
export async function withRedis<T>(
  appendfsync: string,
  body: (env: StoreEnv) => Promise<T>,
): Promise<T> {
  await using server = await RedisServer.start({ appendfsync });
  return await body({ STORE: 'redis', STORE_URL: server.url });
}
