import { connect } from 'node:net';
import { compare, quantile, round, type Bench } from '../bench.ts';
import { ObserverClients, observedPath } from '../observer-clients.ts';
import { startServer } from '../server-process.ts';

const OBSERVERS = 500;
/** How long each of six streams lasts; `SECONDS=12` for a first look. */
const SECONDS = Number(process.env['SECONDS'] ?? 60);

/** Streams 100 chunks a second to all observers; gives the server's CPU time per second of it, in ms. */
async function cpuMsPerSecond(mode: string, latencies: number[]): Promise<number> {
  await using server = await startServer('tokens', { MODE: mode, SECONDS: String(SECONDS) });
  const path = await observedPath(server, mode);
  using clients = new ObserverClients(server.origin, path);
  await clients.open(OBSERVERS);
  const socket = connect(Number(new URL(server.origin).port), '127.0.0.1');
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n`);
  socket.setEncoding('utf8').on('data', (text: string) => {
    const now = performance.timeOrigin + performance.now();
    for (const [, at] of text.matchAll(/@([\d.]+)@/g)) latencies.push(now - Number(at));
  });
  const cpu = async (): Promise<number> =>
    Number(await (await fetch(`${server.origin}/cpu`)).text());
  const before = await cpu();
  await (await fetch(`${server.origin}/emit`)).text();
  const used = (await cpu()) - before;
  socket.destroy();
  return used / SECONDS;
}

/** A token stream to many observers, stored in SQLite, against SSE by hand on `node:http`. */
export const bench: Bench = async () => {
  const latencies: number[] = [];
  const raw = (): Promise<number> => cpuMsPerSecond('raw', []);
  const ours = (): Promise<number> => cpuMsPerSecond('durable', latencies);
  const cpu = await compare(raw, ours, 'ms of CPU per second');
  return {
    observers: OBSERVERS,
    ...cpu,
    target: '<= 1.3',
    chunks: latencies.length,
    p50Ms: round(quantile(latencies, 0.5)),
    p99Ms: round(quantile(latencies, 0.99)),
    targetP99Ms: 100,
  };
};
