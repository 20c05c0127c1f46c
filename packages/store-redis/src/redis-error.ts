import { DurableError } from '@durable-api/core';

type StoreCode = 'store_unavailable' | 'store_full';

/**
 * What the errors of Redis and of ioredis mean, by how their messages begin. The first that fits
 * counts. Those above the line say that nothing was done; below it, the outcome is unknown.
 */
const MEANINGS: readonly (readonly [start: string, code: StoreCode, advice: string])[] = [
  [
    'OOM',
    'store_full',
    'Redis has reached its maxmemory; raise it, or keep ended intents shorter.',
  ],
  ['MISCONF', 'store_full', 'Redis cannot write to its disk; free some space or mend the disk.'],
  ['READONLY', 'store_unavailable', 'Redis is a read-only replica; a failover may be under way.'],
  ['LOADING', 'store_unavailable', 'Redis has been started and is reading its data.'],
  ['MASTERDOWN', 'store_unavailable', 'Redis is a replica without its master.'],
  ['NOREPLICAS', 'store_unavailable', 'Redis has fewer replicas than it is told to need.'],
  ['CLUSTERDOWN', 'store_unavailable', 'The Redis Cluster is down; a failover may be under way.'],
  ['TRYAGAIN', 'store_unavailable', 'A slot of the Redis Cluster is moving to another node.'],
  ['BUSY', 'store_unavailable', 'A script of somebody else keeps Redis busy.'],
  ['NOAUTH', 'store_unavailable', 'Redis wants a password; check the connection options.'],
  ['WRONGPASS', 'store_unavailable', 'Redis refused the password; check the connection options.'],
  [
    'NOPERM',
    'store_unavailable',
    'The Redis user lacks a permission; see the README for all it needs.',
  ],
  ['Too many Cluster redirections', 'store_unavailable', 'Slots of the Redis Cluster are moving.'],
  ["Stream isn't writeable", 'store_unavailable', 'There is no connection to Redis.'],
  ["Cluster isn't ready", 'store_unavailable', 'There is no connection to the Redis Cluster.'],
  ['None of startup nodes', 'store_unavailable', 'There is no connection to the Redis Cluster.'],
  ['Failed to refresh slots', 'store_unavailable', 'No node of the Redis Cluster answers.'],
  ['connect ', 'store_unavailable', 'Redis cannot be reached.'],
  // ---
  ['UNBLOCKED', 'store_unavailable', 'Redis became a replica meanwhile.'],
  ['Reached the max retries', 'store_unavailable', 'The connection to Redis was lost.'],
  ['Connection is closed', 'store_unavailable', 'The connection to Redis was lost.'],
  ['Socket timeout', 'store_unavailable', 'Redis stopped answering.'],
];

/**
 * Makes a `DurableError` of whatever a call of Redis ended with. `connectionError` is what last went
 * wrong with the connection: ioredis keeps it apart from the failures of the calls.
 */
export function storeError(error: unknown, connectionError?: unknown): DurableError {
  if (error instanceof DurableError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const [, code, advice] = MEANINGS.find(([start]) => message.startsWith(start)) ?? [
    '',
    'store_unavailable' as const,
    'Redis failed.',
  ];
  const reason =
    connectionError instanceof Error ? `${message} ${connectionError.message}` : message;
  return new DurableError(code, `${advice} (${reason.trim()})`, {
    cause: error,
    retryAfterSeconds: 1,
  });
}
