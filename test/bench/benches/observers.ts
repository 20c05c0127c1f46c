import { compare, type Bench } from '../bench.ts';
import { ObserverClients, observedPath } from '../observer-clients.ts';
import { startServer } from '../server-process.ts';

const WARM_UP = 1_000;
const OBSERVERS = 5_000;

/**
 * V8 lets its space for new objects grow while it is busy, which would be counted as memory of the
 * observers; and were that space tiny, what is new would be taken for old, and leave holes there.
 */
const FIXED_YOUNG_HEAP = ['--min-semi-space-size=4', '--max-semi-space-size=4'];

/** Bytes of resident memory that each further idle observer costs the server. */
async function bytesPerObserver(mode: string): Promise<number> {
  await using server = await startServer('observers', { MODE: mode }, { flags: FIXED_YOUNG_HEAP });
  using clients = new ObserverClients(server.origin, await observedPath(server, mode));
  const rss = async (): Promise<number> =>
    Number(await (await fetch(`${server.origin}/rss`)).text());
  await clients.open(WARM_UP);
  const before = await rss();
  await clients.open(OBSERVERS);
  return ((await rss()) - before) / OBSERVERS;
}

/** Memory per idle observer, against SSE by hand on `node:http`. */
export const bench: Bench = async () => {
  const raw = (): Promise<number> => bytesPerObserver('raw');
  const ours = (): Promise<number> => bytesPerObserver('durable');
  return { observers: OBSERVERS, ...(await compare(raw, ours, 'bytes')), target: '<= 1.25' };
};
