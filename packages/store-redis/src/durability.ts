import { DurableError, type StoreCapabilities } from '@durable-api/core';

/** What matters of the configuration of one Redis server; null is what it does not tell. */
export interface ServerConfig {
  readonly majorVersion: number;
  readonly maxmemoryPolicy: string | null;
  readonly appendOnly: boolean | null;
  readonly appendFsync: string | null;
  /** Whether fsync is left out while the append-only file is being rewritten. */
  readonly noFsyncOnRewrite: boolean | null;
}

type Durability = StoreCapabilities['durability'];

/**
 * What acknowledged writes survive on a server.
 * @throws DurableError `options_invalid` when it can lose or evict them and that was not accepted.
 */
export function assessDurability(config: ServerConfig, acceptsVolatile: boolean): Durability {
  if (config.majorVersion < 7) {
    throw new DurableError('options_invalid', 'The store needs Redis 7 or Valkey 7.2 or newer.');
  }
  const faults = faultsOf(config);
  if (faults.length > 0 && !acceptsVolatile) {
    throw new DurableError(
      'options_invalid',
      `${faults.join(' ')} Or accept that intents can vanish: acceptDurability: 'volatile'.`,
    );
  }
  if (faults.length > 0) return 'none';
  return config.appendFsync === 'always' && config.noFsyncOnRewrite === false
    ? 'power-loss'
    : 'process-crash';
}

/** The least of several. */
export function leastDurability(all: readonly Durability[]): Durability {
  if (all.length === 0 || all.includes('none')) return 'none';
  return all.includes('process-crash') ? 'process-crash' : 'power-loss';
}

/** Reads the replies of INFO and, where it is allowed, of CONFIG GET as name and value in turns. */
export function parseServerConfig(info: string, config: readonly string[] | null): ServerConfig {
  const told = (name: string): string | null =>
    new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? null;
  const set = (name: string): string | null => {
    const at = config?.indexOf(name) ?? -1;
    return at < 0 ? null : (config?.[at + 1] ?? null);
  };
  const aofEnabled = told('aof_enabled');
  const noFsyncOnRewrite = set('no-appendfsync-on-rewrite');
  return {
    majorVersion: Number.parseInt(told('redis_version') ?? '', 10),
    maxmemoryPolicy: told('maxmemory_policy'),
    appendOnly: aofEnabled === null ? null : aofEnabled === '1',
    appendFsync: set('appendfsync'),
    noFsyncOnRewrite: noFsyncOnRewrite === null ? null : noFsyncOnRewrite === 'yes',
  };
}

function faultsOf({ maxmemoryPolicy, appendOnly }: ServerConfig): string[] {
  const faults: string[] = [];
  if (maxmemoryPolicy !== 'noeviction') {
    faults.push(
      `Redis may evict intents: its maxmemory-policy is "${maxmemoryPolicy ?? 'not known'}"; ` +
        'set it to noeviction.',
    );
  }
  if (appendOnly !== true) {
    faults.push('Redis keeps intents in memory alone: set appendonly to yes.');
  }
  return faults;
}
