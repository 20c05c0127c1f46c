import { compare, type Bench } from '../bench.ts';
import { startServer } from '../server-process.ts';
import { postLoad } from '../wrk.ts';

const CONNECTIONS = 64;
const SECONDS = 5;

async function rate(env: Record<string, string>, headers: Record<string, string>): Promise<number> {
  await using server = await startServer('express', env);
  const load = { url: `${server.origin}/op`, connections: CONNECTIONS, headers };
  await postLoad({ ...load, seconds: 2 });
  return (await postLoad({ ...load, seconds: SECONDS })).requestsPerSecond;
}

/** POST with `Prefer: wait`, answered with the handler's own response after two commits. */
export const bench: Bench = async () => {
  const bare = (): Promise<number> => rate({ MODE: 'bare' }, {});
  const wait = (): Promise<number> => rate({}, { prefer: 'wait=10' });
  return {
    connections: CONNECTIONS,
    ...(await compare(bare, wait, 'requests/s')),
    target: '5000/s where bare Express answers 16500/s: ratio >= 0.3',
  };
};
