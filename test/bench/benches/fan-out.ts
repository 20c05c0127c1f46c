import { setTimeout as delay } from 'node:timers/promises';
import { compare, median, type Bench } from '../bench.ts';
import { ObserverClients, observedPath } from '../observer-clients.ts';
import { startServer } from '../server-process.ts';

const OBSERVERS = 5_000;
const EVENTS = 20;

/** The ms from an event's cause until the last of all observers has it. */
async function fanOutMs(mode: string): Promise<number> {
  await using server = await startServer('observers', { MODE: mode });
  using clients = new ObserverClients(server.origin, await observedPath(server, mode));
  await clients.open(OBSERVERS);
  const times: number[] = [];
  for (let i = 0; i < EVENTS; i++) {
    times.push(await clients.fanOut(() => fetch(`${server.origin}/emit`)));
    await delay(150);
  }
  return median(times.slice(5));
}

/** One event to all observers, against SSE by hand on `node:http`, which stores nothing. */
export const bench: Bench = async () => {
  const raw = (): Promise<number> => fanOutMs('raw');
  const ours = (): Promise<number> => fanOutMs('durable');
  return { observers: OBSERVERS, ...(await compare(raw, ours, 'ms')), target: '<= 1.25' };
};
