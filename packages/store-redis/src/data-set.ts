import { DurableError } from '@durable-api/core';
import type { Connection } from './connection.ts';
import { metaKey } from './shard-keys.ts';

/** The layout of keys and fields that this version reads and writes. */
const LAYOUT = 2;

/**
 * Opens a data set, or founds it when it is not there, and returns its number of shards.
 * @throws DurableError `options_invalid` when it has another one than asked for, or a newer layout.
 */
export async function openDataSet(
  connection: Connection,
  prefix: string,
  wanted: number | null,
  usual: number,
): Promise<number> {
  const key = metaKey(prefix);
  const [, , fields] = await connection.call(key, (client) =>
    Promise.all([
      client.hsetnx(key, 'shards', wanted ?? usual),
      client.hsetnx(key, 'layout', LAYOUT),
      client.hmget(key, 'shards', 'layout'),
    ]),
  );
  const [shards, layout] = fields.map(Number);
  if (layout !== undefined && layout < LAYOUT && shards !== 1) {
    throw new DurableError(
      'options_invalid',
      `The data set "${prefix}" has layout ${layout}, made by an older version of ` +
        `@durable-api/store-redis, which has other places for its intents. Use another prefix.`,
    );
  }
  if (layout === undefined || layout > LAYOUT) {
    throw new DurableError(
      'options_invalid',
      `The data set "${prefix}" has layout ${layout}, made by a newer version of ` +
        `@durable-api/store-redis; this one knows ${LAYOUT}. Update this process.`,
    );
  }
  if (shards === undefined || (wanted !== null && wanted !== shards)) {
    throw new DurableError(
      'options_invalid',
      `The data set "${prefix}" has ${shards} shards, which never changes, and not ${wanted}: ` +
        'leave the option "shards" out, or use another prefix.',
    );
  }
  return shards;
}
