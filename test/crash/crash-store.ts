import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, findClusterTools } from '../../packages/store-postgres/test/support/cluster.ts';
import { RedisServer } from '../../packages/store-redis/test/support/redis-server.ts';

/** What the kill loop runs on. */
export type CrashStoreKind = 'sqlite' | 'postgres' | 'redis';

/** A store of the loop's own. */
export interface CrashStore extends AsyncDisposable {
  readonly url: string;
  /** Kills the server of the store and starts it again on the same data; null when it has none. */
  readonly restart: (() => Promise<void>) | null;
}

/** Makes an empty store; Redis with `appendfsync always`. Null when this machine lacks the server. */
export async function openCrashStore(kind: CrashStoreKind): Promise<CrashStore | null> {
  if (kind === 'postgres') return openPostgres();
  return kind === 'redis' ? openRedis() : openSqlite();
}

function openSqlite(): CrashStore {
  const folder = mkdtempSync(join(tmpdir(), 'durable-crash-'));
  return {
    url: `sqlite:${join(folder, 'operations.db')}`,
    restart: null,
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function openPostgres(): Promise<CrashStore | null> {
  const tools = await findClusterTools();
  if (tools === null) return null;
  const server = await Cluster.start(tools);
  return {
    url: server.url,
    async restart() {
      await server.kill();
      await server.start();
    },
    [Symbol.asyncDispose]: () => server.remove(),
  };
}

async function openRedis(): Promise<CrashStore> {
  const server = await RedisServer.start();
  return {
    url: server.url,
    async restart() {
      await server.kill();
      await server.restart();
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
