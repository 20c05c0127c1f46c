import { setTimeout as delay } from 'node:timers/promises';
import { compare, type Bench } from '../bench.ts';
import { startServer } from '../server-process.ts';
import { postLoad } from '../wrk.ts';

const CONNECTIONS = 64;
const SECONDS = 6;

async function bareRate(): Promise<number> {
  await using server = await startServer('express', { MODE: 'bare' });
  const load = { url: `${server.origin}/op`, connections: CONNECTIONS };
  await postLoad({ ...load, seconds: 4 });
  return (await postLoad({ ...load, seconds: SECONDS })).requestsPerSecond;
}

/** Intents completed per second, until the last one that was submitted is. */
async function completedRate(name: string): Promise<number> {
  await using server = await startServer(name);
  const load = { url: `${server.origin}/op`, connections: CONNECTIONS };
  const completed = async (): Promise<number> => {
    return Number(await (await fetch(`${server.origin}/completed`)).text());
  };
  const warmUp = await postLoad({ ...load, seconds: 4 });
  while ((await completed()) < warmUp.requestCount) await delay(20);
  const before = await completed();
  const startedAt = performance.now();
  const { requestCount } = await postLoad({ ...load, seconds: SECONDS });
  while ((await completed()) - before < requestCount) await delay(20);
  return ((await completed()) - before) / ((performance.now() - startedAt) / 1_000);
}

/**
 * Submit to completed, sustained, through Express and the engine in one process, against the bare route
 * and against the same with BullMQ on Redis, which waits for no disk.
 */
export const bench: Bench = async () => {
  const ours = (): Promise<number> => completedRate('express');
  const toBare = await compare(bareRate, ours, 'per s');
  console.log('BullMQ');
  const toBullmq = await compare(() => completedRate('bullmq'), ours, 'per s');
  return {
    connections: CONNECTIONS,
    ...toBare,
    target: 0.5,
    bullmq: toBullmq.baseline,
    ratioToBullmq: toBullmq.ratio,
    bullmqTarget: '>= 1',
  };
};
