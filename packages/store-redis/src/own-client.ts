import { Cluster, type ClusterOptions, type Redis, type RedisOptions } from 'ioredis';

/** A client of ioredis, single (also by Sentinel) or Cluster. */
export type Client = Redis | Cluster;

/** How long the connecting of a socket may take, in ms. */
const CONNECT_TIMEOUT_MS = 2_000;
/** How long Redis may be silent while it owes answers, before the connection counts as dead, in ms. */
const SILENCE_MS = 5_000;

/**
 * What the store changes of the options that it was given. A call is sent once or not at all: nothing
 * is kept for later or sent again behind the store's back, since the caller would have given it up.
 */
const OWN_OPTIONS = {
  connectTimeout: CONNECT_TIMEOUT_MS,
  socketTimeout: SILENCE_MS,
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  enableAutoPipelining: false,
  keyPrefix: '',
  stringNumbers: false,
  replyMapping: 'legacy',
  connectionName: 'durable-api',
  retryStrategy: (attempt) => Math.min(25 * 2 ** attempt, 1_000),
  // A replica that was the master a moment ago: connecting again finds the new one.
  reconnectOnError: (error) => error.message.startsWith('READONLY'),
} as const satisfies RedisOptions;

const OWN_CLUSTER_OPTIONS = {
  lazyConnect: true,
  keyPrefix: '',
  scaleReads: 'master',
  enableAutoPipelining: false,
  shardedSubscribers: true,
  // A call whose connection was lost may have been done, and a Cluster that is down fails at once. What
  // is refused since its slot is moving is tried a little longer; it must not hold up its batch.
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
  retryDelayOnTryAgain: 50,
  maxRedirections: 6,
  clusterRetryStrategy: (attempt) => Math.min(50 * 2 ** attempt, 1_000),
} as const satisfies ClusterOptions;

/** A client of the store's own with the options of `client`, not connected yet. */
export function ownClient(client: Client): Client {
  if (!isCluster(client)) return client.duplicate(OWN_OPTIONS);
  return client.duplicate([], { ...OWN_CLUSTER_OPTIONS, redisOptions: OWN_OPTIONS });
}

/** A client of the Cluster that `node` is a node of. */
export function clusterOf(node: Redis): Cluster {
  const { host, port, ...rest } = node.options;
  const at = { ...(host !== undefined && { host }), ...(port !== undefined && { port }) };
  return new Cluster([at], {
    ...OWN_CLUSTER_OPTIONS,
    redisOptions: { ...rest, ...OWN_OPTIONS, db: 0 },
  });
}

/** Tells the two kinds apart, also across copies of ioredis. */
export function isCluster(client: Client): client is Cluster {
  return client.isCluster;
}
