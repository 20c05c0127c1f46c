import { DurableError } from '@durable-api/core';
import { Redis, type Cluster } from 'ioredis';

interface CommonOptions {
  /** What all keys and channels begin with, so that several apps can share a Redis. Default `durable`. */
  readonly prefix?: string | undefined;
  /**
   * `volatile` accepts a Redis that can lose or evict acknowledged intents: without append-only file,
   * or with another `maxmemory-policy` than `noeviction`. Default: such a Redis is refused.
   */
  readonly acceptDurability?: 'volatile' | undefined;
  /**
   * In how many parts a new data set is laid out; it never changes afterwards. A script touches one
   * part, and a Cluster spreads them over its nodes. Default 1, on a Cluster 16.
   */
  readonly shards?: number | undefined;
  /**
   * How many replicas must have a submit or a commit before it is acknowledged (`WAIT`). Lessens what
   * a failover can lose, and does not rule it out. Default 0.
   */
  readonly requireReplicas?: number | undefined;
  /** How long a call may take before it fails as `store_unavailable`. Default 1,500 ms. */
  readonly timeoutMs?: number | undefined;
}

/** The options of a Redis store. */
export type RedisStoreOptions = CommonOptions &
  (
    | {
        /**
         * `redis://` or `rediss://`, also of any node of a Cluster. `?prefix=` and
         * `?acceptDurability=volatile` are taken from it; other parameters are options of ioredis.
         */
        readonly url: string;
        readonly client?: undefined;
      }
    | {
        /**
         * An ioredis client, single, Sentinel or Cluster. The store connects with its options over
         * connections of its own, and leaves the client as it is.
         */
        readonly client: Redis | Cluster;
        readonly url?: undefined;
      }
  );

/** Options with every default in place. */
export interface ResolvedOptions {
  readonly client: Redis | Cluster;
  readonly prefix: string;
  readonly acceptsVolatile: boolean;
  readonly shards: number | null;
  readonly requireReplicas: number;
  readonly timeoutMs: number;
}

const KNOWN = new Set([
  'url',
  'client',
  'prefix',
  'acceptDurability',
  'shards',
  'requireReplicas',
  'timeoutMs',
]);

/** Checks the options and fills in the defaults. @throws DurableError `options_invalid`. */
export function resolveOptions(options: RedisStoreOptions): ResolvedOptions {
  for (const key of Object.keys(options)) {
    if (!KNOWN.has(key)) throw invalid(`There is no option "${key}".`);
  }
  const { url, client } = options;
  if ((url === undefined) === (client === undefined)) {
    throw invalid('Give either url or client: redisStore({ url: "redis://localhost" }).');
  }
  const address = url === undefined ? null : parseUrl(url);
  const accepted = options.acceptDurability ?? address?.searchParams.get('acceptDurability');
  if (accepted !== undefined && accepted !== null && accepted !== 'volatile') {
    throw invalid(`acceptDurability takes "volatile", received "${accepted}".`);
  }
  const prefix = options.prefix ?? address?.searchParams.get('prefix') ?? 'durable';
  if (!/^[^{}\s]+$/.test(prefix)) {
    throw invalid(`prefix takes a text without blanks and braces, received "${prefix}".`);
  }
  return {
    client: client ?? clientOf(address),
    prefix,
    acceptsVolatile: accepted === 'volatile',
    shards: options.shards === undefined ? null : count('shards', options.shards, 1, 1024),
    requireReplicas: count('requireReplicas', options.requireReplicas ?? 0, 0, 100),
    timeoutMs: count('timeoutMs', options.timeoutMs ?? 1_500, 1, 600_000),
  };
}

function parseUrl(url: string): URL {
  const parsed = URL.parse(url);
  if (parsed === null || !/^rediss?:$/.test(parsed.protocol)) {
    throw invalid('url takes redis://host:port or rediss://host:port.');
  }
  return parsed;
}

function clientOf(address: URL | null): Redis {
  const own = new URL(address ?? 'redis://localhost');
  own.searchParams.delete('prefix');
  own.searchParams.delete('acceptDurability');
  // Never connected: it carries the options that ioredis reads from the address.
  return new Redis(own.href, { lazyConnect: true });
}

function count(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw invalid(
    `${name} takes a whole number from ${least} to ${most}, received ${String(value)}.`,
  );
}

function invalid(message: string): DurableError {
  return new DurableError('options_invalid', message);
}
