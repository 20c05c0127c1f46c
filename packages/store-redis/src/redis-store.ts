import { randomUUID } from 'node:crypto';
import { DurableError, type Store, type StoreCapabilities } from '@durable-api/core';
import { Connection } from './connection.ts';
import { openDataSet } from './data-set.ts';
import { claim } from './operations/claim.ts';
import { commit } from './operations/commit.ts';
import { events } from './operations/events.ts';
import { get } from './operations/get.ts';
import { list } from './operations/list.ts';
import { prune } from './operations/prune.ts';
import { recoverReservations } from './operations/recover-reservations.ts';
import { renew } from './operations/renew.ts';
import { stats } from './operations/stats.ts';
import { submit } from './operations/submit.ts';
import { resolveOptions, type RedisStoreOptions } from './options.ts';
import { isCluster } from './own-client.ts';
import type { Session } from './session.ts';
import { layOutShards } from './shard-keys.ts';
import { Verification } from './verification.ts';
import { WakeUps } from './wake-ups.ts';
import { writeResults } from './write-results.ts';

/** The number of shards of a new data set, unless the user says another. */
const SHARDS = { single: 1, cluster: 16 };

/**
 * A store in Redis or Valkey: single, behind Sentinel, or Cluster. What an acknowledged write survives
 * depends on the server's configuration: `capabilities.durability` says it once `migrate` has looked.
 * @throws DurableError `options_invalid`
 */
export function redisStore(options: RedisStoreOptions): Store {
  const { client, prefix, acceptsVolatile, shards, requireReplicas, timeoutMs } =
    resolveOptions(options);
  const sender = randomUUID();
  const background = new Set<Promise<unknown>>();
  const connection = new Connection({ client, timeoutMs, onChange: () => verification.outdate() });
  const verification = new Verification(connection, acceptsVolatile);
  const wakeUps = new WakeUps(sender);
  let session: Session | null = null;

  const opened = (): Session => {
    if (session !== null) return session;
    throw new DurableError(
      'store_unavailable',
      'The Redis store has not been opened: await migrate().',
    );
  };
  const capabilities: StoreCapabilities = {
    get durability() {
      return verification.durability;
    },
    shared: true,
    watches: true,
    clock: 'store',
  };

  return {
    capabilities,
    async migrate() {
      await connection.open();
      await verification.ensure();
      const usual = isCluster(connection.client) ? SHARDS.cluster : SHARDS.single;
      const count = await openDataSet(connection, prefix, shards, usual);
      session ??= {
        connection,
        shards: layOutShards(prefix, count),
        sender,
        linedUp: new Set(),
        known: new Set(),
        requireReplicas,
        background(work) {
          const settled = work.catch(() => {}).finally(() => background.delete(settled));
          background.add(settled);
        },
      };
      wakeUps.open(session);
      session.background(recoverReservations(session));
    },
    async submit(batch) {
      // A promise to keep is made here, so who keeps it is looked at again after each reconnect.
      await verification.ensure();
      return writeResults(await submit(opened(), batch));
    },
    claim: async (request) => claim(opened(), request),
    renew: async (request) => renew(opened(), request),
    commit: async (batch) => writeResults(await commit(opened(), batch)),
    get: async (request) => get(opened(), request),
    events: async (request) => events(opened(), request),
    list: async (request) => list(opened(), request),
    watch: (listener) => wakeUps.watch(listener),
    prune: async (request) => prune(opened(), request),
    stats: async () => stats(opened()),
    async close() {
      wakeUps.close();
      await Promise.all(background);
      await connection.close();
    },
  };
}
