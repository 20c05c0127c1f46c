import { env } from 'node:process';
import { Redis } from 'ioredis';

/** The Redis of `REDIS_URL`, else the one on the standard port if it answers; null when none does. */
export async function sharedRedisUrl(): Promise<string | null> {
  const url = env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.ping()) === 'PONG' ? url : null;
  } catch {
    return null;
  } finally {
    client.disconnect();
  }
}

/** Removes all keys of a data set. */
export async function removeDataSet(url: string, prefix: string): Promise<void> {
  const client = new Redis(url);
  const pattern = `{${prefix}:*`;
  for await (const keys of client.scanStream({ match: pattern, count: 1_000 })) {
    if (keys.length > 0) await client.unlink(...keys);
  }
  client.disconnect();
}
