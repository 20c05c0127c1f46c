import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import { startServer } from '../server-process.ts';

const SECONDS = 60;

/** What the process has done so far: clock ticks of CPU, and read or write calls. */
function used(pid: number): { ticks: number; calls: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const io = readFileSync(`/proc/${pid}/io`, 'utf8');
  const calls = [...io.matchAll(/sysc[rw]: (\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
  return { ticks: Number(stat[11]) + Number(stat[12]), calls };
}

/** An engine with nothing to do, after it has completed one intent: it must ask its store for nothing. */
export const bench: Bench = async () => {
  await using server = await startServer('express');
  const counted = async (): Promise<number> => {
    return Number(await (await fetch(`${server.origin}/store-calls`)).text());
  };
  const headers = { 'content-type': 'application/json', prefer: 'wait=5' };
  await fetch(`${server.origin}/op`, { method: 'POST', headers, body: '{"quarter":"Q3"}' });
  await delay(2_000);
  const before = { ...used(server.pid), storeCalls: await counted() };
  await delay(SECONDS * 1_000);
  const after = { ...used(server.pid), storeCalls: await counted() };
  return {
    seconds: SECONDS,
    storeCalls: after.storeCalls - before.storeCalls,
    cpuMs: (after.ticks - before.ticks) * 10,
    readWriteCalls: after.calls - before.calls,
    target: '0 store calls',
  };
};
