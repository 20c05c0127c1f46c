import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { quantile, round, type Bench } from '../bench.ts';
import { ListeningAgents } from '../listening-agents.ts';
import { startServer } from '../server-process.ts';

const WARM_UP = 500;
const AGENTS = 1_000;
const IDLE_SECONDS = 20;
const SECONDS = 20;
const PER_SECOND = 200;
/** The space for new objects would grow, and be taken for memory of the agents. */
const FIXED_YOUNG_HEAP = ['--min-semi-space-size=4', '--max-semi-space-size=4'];
const INTENT = { intent_type: 'bench.agents.v1', payload: { quarter: 'Q3' } };

/** CPU time that a process has used so far, in s. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(stat[11]) + Number(stat[12])) / 100;
}

/** Agents that listen at one gateway on SQLite: what each costs, and how soon it has what is sent to it. */
export const bench: Bench = async () => {
  await using server = await startServer('agents', {}, { flags: FIXED_YOUNG_HEAP });
  const sentAt = new Map<string, number>();
  const arrivedAt = new Map<string, number>();
  using agents = new ListeningAgents(server.origin, (id) => arrivedAt.set(id, performance.now()));
  const rss = async (): Promise<number> =>
    Number(await (await fetch(`${server.origin}/rss`)).text());

  await agents.add(WARM_UP);
  const before = await rss();
  await agents.add(AGENTS);
  const bytes = ((await rss()) - before) / AGENTS;

  const idleFrom = cpuSeconds(server.pid);
  await delay(IDLE_SECONDS * 1_000);
  const idle = (cpuSeconds(server.pid) - idleFrom) / IDLE_SECONDS;

  const { addresses } = agents;
  const send = async (n: number): Promise<void> => {
    const at = performance.now();
    const body = JSON.stringify({ ...INTENT, to_agent: addresses[(n * 7) % addresses.length] });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${server.origin}/v1/intents`, { method: 'POST', headers, body });
    const { intent_id: id }: { intent_id: string } = JSON.parse(await answer.text());
    sentAt.set(id, at);
  };
  const busyFrom = cpuSeconds(server.pid);
  const beganAt = performance.now();
  const sending: Promise<void>[] = [];
  for (let n = 0; n < SECONDS * PER_SECOND; n += 1) {
    const waitMs = beganAt + (n * 1_000) / PER_SECOND - performance.now();
    if (waitMs > 1) await delay(waitMs);
    sending.push(send(n));
  }
  await Promise.all(sending);
  while (arrivedAt.size < sentAt.size && performance.now() < beganAt + SECONDS * 1_000 + 20_000) {
    await delay(50);
  }
  const busy = (cpuSeconds(server.pid) - busyFrom) / ((performance.now() - beganAt) / 1_000);
  const delays = [...sentAt].flatMap(([id, at]) => {
    const arrived = arrivedAt.get(id);
    return arrived === undefined ? [] : [arrived - at];
  });
  return {
    agents: addresses.length,
    kibPerAgent: round(bytes / 1_024),
    idleCpuPercent: round(idle * 100),
    intentsPerSecond: PER_SECOND,
    sent: sentAt.size,
    delivered: delays.length,
    medianMs: round(quantile(delays, 0.5)),
    p99Ms: round(quantile(delays, 0.99)),
    busyCpuPercent: round(busy * 100),
    target: '< 30 KiB, p99 < 250 ms, idle < 3 %',
  };
};
