import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { round, type Bench } from '../bench.ts';
import { startServer, type ServerProcess } from '../server-process.ts';
import { withPostgres, withRedis, type StoreEnv } from '../store-servers.ts';

const PROCESSES = 8;
const SECONDS = 60;

/** Calls of the server in a minute, of each of several processes with nothing to do. */
async function idle(env: StoreEnv, calls: () => Promise<number>): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const servers: ServerProcess[] = [];
  for (let i = 0; i < PROCESSES; i++) servers.push(stack.use(await startServer('express', env)));
  const headers = { 'content-type': 'application/json', prefer: 'wait=5' };
  for (const { origin } of servers) {
    await fetch(`${origin}/op`, { method: 'POST', headers, body: '{"quarter":"Q3"}' });
  }
  await delay(10_000);
  const before = await calls();
  await delay(SECONDS * 1_000);
  return ((await calls()) - before) / PROCESSES;
}

async function onPostgres(env: StoreEnv): Promise<number> {
  const pool = new Pool({ connectionString: env.STORE_URL, max: 1 });
  const transactions = async (): Promise<number> => {
    const text = 'SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database';
    return Number((await pool.query(text)).rows[0]?.sum);
  };
  try {
    return await idle(env, transactions);
  } finally {
    await pool.end();
  }
}

async function onRedis(env: StoreEnv): Promise<number> {
  const redis = new Redis(env.STORE_URL);
  const commands = async (): Promise<number> =>
    Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1]);
  try {
    return await idle(env, commands);
  } finally {
    redis.disconnect();
  }
}

/** What processes that have nothing to do ask of a shared store: transactions, and commands of Redis. */
export const bench: Bench = async () => ({
  processes: PROCESSES,
  seconds: SECONDS,
  postgresPerProcess: round(await withPostgres(onPostgres)),
  redisPerProcess: round(await withRedis('everysec', onRedis)),
  target: 'a few per process',
});
