import { setTimeout as delay } from 'node:timers/promises';
import { quantile, round, type Bench } from '../bench.ts';
import { startServer } from '../server-process.ts';
import { withPostgres, withRedis } from '../store-servers.ts';

/** How many intents of another tenant wait. */
const BACKLOG = 10_000;
const SAMPLES = 150;
const TARGET = 2;

type Env = Readonly<Record<string, string>>;

function post(origin: string, tenant: string, headers: Env): Promise<Response> {
  return fetch(`${origin}/op`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ tenant }),
  });
}

/** Ms from the submit of one intent to its finished response, each at a time of its own. */
async function latencies(origin: string): Promise<readonly number[]> {
  const measured: Promise<number>[] = [];
  for (let i = 0; i < SAMPLES; i += 1) {
    const startedAt = performance.now();
    const finished = post(origin, 'small', { prefer: 'wait=30' }).then((response) => {
      if (response.status !== 200) throw new Error(`It was answered ${response.status}.`);
      return performance.now() - startedAt;
    });
    measured.push(finished);
    await delay(40 + Math.random() * 120);
  }
  return Promise.all(measured);
}

async function flood(origin: string): Promise<void> {
  for (let sent = 0; sent < BACKLOG; sent += 200) {
    const batch = Array.from({ length: 200 }, () => post(origin, 'large', {}));
    for (const response of await Promise.all(batch)) await response.arrayBuffer();
  }
}

async function measure(env: Env): Promise<{ unloaded: number; loaded: number }> {
  await using server = await startServer('tenants', env);
  await latencies(server.origin);
  const unloaded = quantile(await latencies(server.origin), 0.99);
  await flood(server.origin);
  return { unloaded, loaded: quantile(await latencies(server.origin), 0.99) };
}

/**
 * p99 of a tenant's intents from submit to finished while nobody else has any, and while another tenant has
 * 10,000 that wait for the same 20 places; a handler takes 100 ms. `STORES=sqlite` measures only that one.
 */
export const bench: Bench = async () => {
  const stores: Readonly<Record<string, () => ReturnType<typeof measure>>> = {
    sqlite: () => measure({}),
    postgres: () => withPostgres(measure),
    redis: () => withRedis('everysec', measure),
  };
  const only = process.env['STORES']?.split(',') ?? Object.keys(stores);
  const figures: Record<string, number | string> = {};
  for (const [name, run] of Object.entries(stores)) {
    if (!only.includes(name)) continue;
    const { unloaded, loaded } = await run();
    console.log(`${name}: p99 ${round(unloaded)} ms alone, ${round(loaded)} ms beside ${BACKLOG}`);
    figures[`${name}P99Ms`] = round(loaded);
    figures[`${name}Ratio`] = round(loaded / unloaded);
  }
  return { backlog: BACKLOG, ...figures, target: `<= ${TARGET}` };
};
