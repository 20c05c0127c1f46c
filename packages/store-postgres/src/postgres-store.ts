import { silentLogger, systemClock, type Store } from '@durable-api/core';
import { Pool } from 'pg';
import { checkServer } from './check-server.ts';
import { Claims } from './claims.ts';
import { commit } from './commit.ts';
import { Database } from './database.ts';
import { Gate } from './gate.ts';
import { renew } from './lease.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations/migrations.ts';
import { checkOptions, type PostgresStoreOptions } from './options.ts';
import type { PgPool } from './pg-pool.ts';
import { prune } from './prune.ts';
import { events, get, list, stats } from './read.ts';
import { submitInTransaction } from './submit-in-transaction.ts';
import { submit } from './submit.ts';
import { takeClient } from './take-client.ts';
import { WakeUps } from './wake-ups.ts';

/** How many connections a pool of ours has at most: a few batches of writes under way, and reads. */
const MAX_CONNECTIONS = 8;

/**
 * A store in a Postgres database, for any number of processes and hosts. The server's clock decides
 * what is due, its unique indexes and row locks decide races, and a wake-up by NOTIFY reaches the
 * other processes.
 * @throws DurableError `options_invalid`
 */
export function postgresStore(options: PostgresStoreOptions): Store {
  checkOptions(options);
  const { connectionString, listenUrl, acceptDurability, timeoutMs = 5_000 } = options;
  const { clock = systemClock(), logger = silentLogger(), random = Math.random } = options;
  const own: Pool[] = [];
  const open = (url: string | undefined, max: number): PgPool => {
    const pool = openPool(url, max, timeoutMs);
    own.push(pool);
    return pool;
  };
  const pool = options.pool ?? open(connectionString, MAX_CONNECTIONS);
  const listenAt = listenUrl ?? connectionString;
  const listenPool = listenAt === undefined ? pool : open(listenAt, 1);
  const database = new Database({
    pool,
    schema: options.schema ?? 'durable_api',
    timeoutMs,
    clock,
  });
  const connect = (): ReturnType<typeof takeClient> => takeClient(listenPool, timeoutMs, clock);
  const onHears = (): void => {
    // Through another URL it says nothing of the pool.
    if (listenUrl === undefined) database.noteDirect();
  };
  const wakeUps = new WakeUps({ database, clock, logger, random, connect, onHears });
  const claims = new Claims(database);
  const gate = new Gate();
  let closing: Promise<void> | null = null;

  async function close(): Promise<void> {
    await gate.close();
    await wakeUps.close();
    await Promise.all(own.map((pool) => pool.end()));
  }

  return {
    capabilities: {
      durability: acceptDurability ?? 'power-loss',
      shared: true,
      watches: true,
      clock: 'store',
      transactions: true,
    },
    migrate: () =>
      gate.pass(async () => {
        await checkServer(database, acceptDurability !== undefined);
        await migrate(database, MIGRATIONS);
      }),
    submit: (batch, transaction) =>
      gate.pass(async () => {
        if (transaction !== undefined) {
          const text = (statement: string): string => database.text(statement);
          return submitInTransaction(batch, { transaction, channel: wakeUps.channel, text });
        }
        const results = await submit(database, batch);
        const created = batch.filter((_, i) => results[i]?.outcome === 'created');
        wakeUps.note(created.map(({ record }) => record.id));
        return results;
      }),
    claim: (request) => gate.pass(() => claims.claim(request)),
    renew: (request) =>
      gate.pass(async () => {
        const { results, released } = await renew(database, request);
        wakeUps.note(released);
        return results;
      }),
    commit: (batch) =>
      gate.pass(async () => {
        const results = await commit(database, batch);
        const written = batch.filter((_, i) => results[i]?.outcome === 'ok');
        wakeUps.note(written.map(({ record }) => record.id));
        return results;
      }),
    get: (request) => gate.pass(() => get(database, request)),
    events: (request) => gate.pass(() => events(database, request)),
    list: (request) => gate.pass(() => list(database, request)),
    watch: (listener) => wakeUps.watch(listener),
    prune: (request) => gate.pass(() => prune(database, request)),
    stats: () => gate.pass(() => stats(database)),
    close: () => (closing ??= close()),
  };
}

function openPool(connectionString: string | undefined, max: number, timeoutMs: number): Pool {
  const pool = new Pool({
    connectionString,
    max,
    connectionTimeoutMillis: timeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: 'durable-api',
  });
  // An idle connection that breaks is replaced at the next use; without a listener it would be thrown.
  pool.on('error', () => {});
  return pool;
}
