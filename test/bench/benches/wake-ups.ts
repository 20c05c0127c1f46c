import { cpus } from 'node:os';
import { median, quantile, round, type Bench } from '../bench.ts';
import { startServer, type ServerProcess } from '../server-process.ts';
import { withPostgres } from '../store-servers.ts';
import { postLoad } from '../wrk.ts';

const PAIRS = 16;
const SECONDS = 2;
const CONNECTIONS = 128;

/** How many submits a second, and how long all processors were busy for each, in µs. */
interface Measured {
  readonly rate: number;
  readonly cpu: number;
}

/** What all processors have worked since the machine was started, in ms. */
function busyMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.sys + times.irq, 0);
}

async function submit({ origin }: ServerProcess): Promise<Measured> {
  const before = busyMs();
  const load = { url: `${origin}/op`, connections: CONNECTIONS, seconds: SECONDS };
  const { requestsPerSecond: rate, requestCount } = await postLoad(load);
  return { rate, cpu: ((busyMs() - before) / requestCount) * 1_000 };
}

/**
 * What it costs submits on Postgres that another process is told of each of them. The machine is not the
 * same from one minute to the next, so short loads on two servers that differ in nothing else are compared
 * pair by pair, each pair the other way round than the one before.
 */
export const bench: Bench = () =>
  withPostgres(async (env) => {
    await using stack = new AsyncDisposableStack();
    const start = async (own: Readonly<Record<string, string>>): Promise<ServerProcess> => {
      const server = stack.use(await startServer('express', { ...env, WORKER: '0', ...own }));
      await fetch(`${server.origin}/completed`);
      return server;
    };
    const mute = await start({ WAKE_UPS: 'dropped' });
    const telling = await start({ WAKE_UPS: 'sent' });
    // The one that is told.
    await start({});
    for (const server of [mute, telling]) await submit(server);

    const pairs: { readonly mute: Measured; readonly telling: Measured }[] = [];
    for (let i = 0; i < PAIRS; i++) {
      const isTurned = i % 2 === 1;
      const first = await submit(isTurned ? telling : mute);
      const second = await submit(isTurned ? mute : telling);
      pairs.push(isTurned ? { mute: second, telling: first } : { mute: first, telling: second });
    }
    const costs = pairs.map((pair) => 1 - pair.telling.rate / pair.mute.rate);
    const cpuCosts = pairs.map((pair) => pair.telling.cpu / pair.mute.cpu - 1);
    return {
      connections: CONNECTIONS,
      pairs: PAIRS,
      mute: round(median(pairs.map((pair) => pair.mute.rate)), 0),
      telling: round(median(pairs.map((pair) => pair.telling.rate)), 0),
      cost: round(median(costs), 3),
      costQuartiles: `${round(quantile(costs, 0.25), 3)} to ${round(quantile(costs, 0.75), 3)}`,
      cpuCost: round(median(cpuCosts), 3),
      cpuQuartiles: `${round(quantile(cpuCosts, 0.25), 3)} to ${round(quantile(cpuCosts, 0.75), 3)}`,
      target: 'cost <= 0.1',
    };
  });
