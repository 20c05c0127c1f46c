import { compare, type Bench } from '../bench.ts';
import { startServer } from '../server-process.ts';
import { postLoad } from '../wrk.ts';

const CONNECTIONS = 64;
const SECONDS = 6;

async function bareRate(): Promise<number> {
  await using server = await startServer('express', { MODE: 'bare' });
  const load = { url: `${server.origin}/op`, connections: CONNECTIONS };
  await postLoad({ ...load, seconds: 2 });
  return (await postLoad({ ...load, seconds: SECONDS })).requestsPerSecond;
}

/** Intents completed per second, until the last one that was submitted is. */
async function completedRate(): Promise<number> {
  await using server = await startServer('express');
  const load = { url: `${server.origin}/op`, connections: CONNECTIONS };
  const completed = async (): Promise<number> => {
    return Number(await (await fetch(`${server.origin}/completed`)).text());
  };
  const warmUp = await postLoad({ ...load, seconds: 2 });
  while ((await completed()) < warmUp.requestCount) continue;
  const before = await completed();
  const startedAt = performance.now();
  const { requestCount } = await postLoad({ ...load, seconds: SECONDS });
  while ((await completed()) - before < requestCount) continue;
  return ((await completed()) - before) / ((performance.now() - startedAt) / 1_000);
}

/** Submit to completed, sustained, through Express and the engine in one process. */
export const bench: Bench = async () => ({
  connections: CONNECTIONS,
  ...(await compare(bareRate, completedRate, 'per s')),
  target: 0.5,
});
