import { readFileSync } from 'node:fs';
import { round, type Bench } from '../bench.ts';
import { startServer } from '../server-process.ts';
import { postLoad } from '../wrk.ts';

const CONNECTIONS = 64;
const SECONDS = 3;
const ROUNDS = 5;

/** What is measured: a server that gives a submit's answer by itself, and with the operation on it. */
const SERVERS = [
  { label: 'core', name: 'node-http', env: {}, isCompiled: false },
  { label: 'express', name: 'express', env: {}, isCompiled: false },
  { label: 'fastify', name: 'fastify', env: {}, isCompiled: false },
  { label: 'nestExpress', name: 'nest', env: { PLATFORM: 'express' }, isCompiled: true },
  { label: 'nestFastify', name: 'nest', env: { PLATFORM: 'fastify' }, isCompiled: true },
] as const;

type Server = (typeof SERVERS)[number];

/** The CPU time that a process has used so far, in µs. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(stat[11]) + Number(stat[12])) * 10_000;
}

/** The CPU time of one request, in µs. */
async function cost({ name, env, isCompiled }: Server, mode: 'equal' | 'durable'): Promise<number> {
  const settings = { ...env, MODE: mode, STORE: 'memory', WORKER: '0' };
  await using server = await startServer(name, settings, { isCompiled });
  const load = { url: `${server.origin}/op`, connections: CONNECTIONS };
  await postLoad({ ...load, seconds: 2 });
  const before = cpuOf(server.pid);
  const { requestCount } = await postLoad({ ...load, seconds: SECONDS });
  return (cpuOf(server.pid) - before) / requestCount;
}

/**
 * What each adapter costs by itself: the CPU time that a submit adds to the bare framework, over what it
 * adds to plain `node:http` with core alone, as a share of the latter's whole request. The bare ones send
 * the same status, headers and body as a submit does, since what a framework spends on nine headers is no
 * adapter's doing. In memory, so that nothing else differs.
 */
export const bench: Bench = async () => {
  const costs = SERVERS.map((server) => ({
    server,
    equal: [] as number[],
    durable: [] as number[],
  }));
  for (let i = 1; i <= ROUNDS; i++) {
    for (const { server, equal, durable } of costs) {
      equal.push(await cost(server, 'equal'));
      durable.push(await cost(server, 'durable'));
      const last = `${round(equal.at(-1) ?? 0)} bare, ${round(durable.at(-1) ?? 0)} durable`;
      console.log(`round ${i}: ${server.label} ${last} µs per request`);
    }
  }
  const figures: Record<string, number> = {};
  let coreAdds = NaN;
  let coreWhole = NaN;
  for (const { server, equal, durable } of costs) {
    const whole = Math.min(...durable);
    const adds = whole - Math.min(...equal);
    if (server.label === 'core') {
      coreAdds = adds;
      coreWhole = whole;
      figures['coreMicroseconds'] = round(whole);
    } else figures[`${server.label}Overhead`] = round((adds - coreAdds) / coreWhole, 3);
  }
  return { connections: CONNECTIONS, ...figures, target: 'each overhead < 0.05' };
};
