import { compare, type Bench } from '../bench.ts';
import { startServer } from '../server-process.ts';
import { postLoad } from '../wrk.ts';

const CONNECTIONS = 64;
const SECONDS = 5;

async function rate(env: Record<string, string>): Promise<number> {
  await using server = await startServer('express', env);
  const load = { url: `${server.origin}/op`, connections: CONNECTIONS };
  await postLoad({ ...load, seconds: 2 });
  return (await postLoad({ ...load, seconds: SECONDS })).requestsPerSecond;
}

/** Submits through Express on SQLite, stored and fsynced, against the same bare Express route. */
export const bench: Bench = async () => {
  const bare = (): Promise<number> => rate({ MODE: 'bare' });
  const submit = (): Promise<number> => rate({ WORKER: '0' });
  return { connections: CONNECTIONS, ...(await compare(bare, submit, 'requests/s')), target: 0.7 };
};
