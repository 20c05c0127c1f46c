import { compare, type Bench } from '../bench.ts';
import { startServer } from '../server-process.ts';
import { postLoad } from '../wrk.ts';

const CONNECTIONS = 64;
const SECONDS = 5;

async function rate(server: string, env: Record<string, string>): Promise<number> {
  await using started = await startServer(server, env);
  const load = { url: `${started.origin}/op`, connections: CONNECTIONS };
  await postLoad({ ...load, seconds: 2 });
  return (await postLoad({ ...load, seconds: SECONDS })).requestsPerSecond;
}

/**
 * Submits through Fastify on SQLite, stored and fsynced, against the same bare Fastify route, and
 * against core behind plain `node:http`.
 */
export const bench: Bench = async () => {
  const submit = (): Promise<number> => rate('fastify', { WORKER: '0' });
  const ofFastify = await compare(() => rate('fastify', { MODE: 'bare' }), submit, 'requests/s');
  const ofCore = await compare(() => rate('node-http', { WORKER: '0' }), submit, 'requests/s');
  return {
    connections: CONNECTIONS,
    ...ofFastify,
    target: 0.45,
    core: ofCore.baseline,
    ratioToCore: ofCore.ratio,
  };
};
