import { compare, type Bench } from '../bench.ts';
import { startServer } from '../server-process.ts';
import { postLoad } from '../wrk.ts';

const CONNECTIONS = 64;
const SECONDS = 5;

async function rate(env: Record<string, string>): Promise<number> {
  await using server = await startServer('nest', env, { isCompiled: true });
  const load = { url: `${server.origin}/op`, connections: CONNECTIONS };
  await postLoad({ ...load, seconds: 2 });
  return (await postLoad({ ...load, seconds: SECONDS })).requestsPerSecond;
}

/** Submits through Nest on both platforms, on SQLite, against the same bare Nest method. */
export const bench: Bench = async () => {
  const on = async (platform: string) => {
    console.log(`Nest on ${platform}`);
    const bare = (): Promise<number> => rate({ PLATFORM: platform, MODE: 'bare' });
    const submit = (): Promise<number> => rate({ PLATFORM: platform, WORKER: '0' });
    return compare(bare, submit, 'requests/s');
  };
  const express = await on('express');
  const fastify = await on('fastify');
  return {
    connections: CONNECTIONS,
    expressBaseline: express.baseline,
    expressOurs: express.ours,
    expressRatio: express.ratio,
    expressTarget: 0.7,
    fastifyBaseline: fastify.baseline,
    fastifyOurs: fastify.ours,
    fastifyRatio: fastify.ratio,
    fastifyTarget: 0.55,
  };
};
