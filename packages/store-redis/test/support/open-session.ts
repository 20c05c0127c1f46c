import { Connection } from '../../src/connection.ts';
import type { Session } from '../../src/session.ts';
import { layOutShards } from '../../src/shard-keys.ts';
import type { RedisServer } from './redis-server.ts';

/** What a store's operations work with, so that a test can run single steps of them. */
export async function openSession(
  server: RedisServer,
  prefix: string,
  shardCount: number,
): Promise<Session> {
  const client = server.connect();
  const connection = new Connection({ client, timeoutMs: 5_000, onChange: () => {} });
  await connection.open();
  client.disconnect();
  return {
    connection,
    shards: layOutShards(prefix, shardCount),
    sender: 'test',
    linedUp: new Set(),
    known: new Set(),
    requireReplicas: 0,
    background: (work) => void work,
  };
}
