import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { compare, quantile, round, type Bench } from '../bench.ts';
import { startServer } from '../server-process.ts';

const PER_SECOND = 50;
const SECONDS = 8;

/** Submits with `Accept: text/event-stream`; resolves to the ms until `intent.completed` is there. */
function submitAndWatch(url: string, agent: Agent): Promise<number> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
    const sent = request(url, { method: 'POST', headers, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.includes('event: intent.completed')) resolve(performance.now() - startedAt);
      });
    });
    sent.on('error', reject);
    sent.end('{"quarter":"Q3"}');
  });
}

async function latencies(name: string): Promise<readonly number[]> {
  await using server = await startServer(name);
  const agent = new Agent({ keepAlive: true });
  const measured: Promise<number>[] = [];
  for (let i = 0; i < PER_SECOND * 4; i++) await submitAndWatch(`${server.origin}/op`, agent);
  for (let i = 0; i < PER_SECOND * SECONDS; i++) {
    measured.push(submitAndWatch(`${server.origin}/op`, agent));
    await delay(1_000 / PER_SECOND);
  }
  const times = await Promise.all(measured);
  agent.destroy();
  return times;
}

/**
 * Latency from POST to the completed event at 50 submits a second, against BullMQ on Redis. That one
 * writes to memory; ours waits twice for the disk.
 */
export const bench: Bench = async () => {
  const p99: number[] = [];
  const peer = async (): Promise<number> => quantile(await latencies('bullmq'), 0.5);
  const ours = async (): Promise<number> => {
    const times = await latencies('express');
    p99.push(quantile(times, 0.99));
    return quantile(times, 0.5);
  };
  const compared = await compare(peer, ours, 'ms');
  return {
    perSecond: PER_SECOND,
    ...compared,
    p99Ms: round(quantile(p99, 0.5)),
    target: 'p50 <= 3 ms where BullMQ has 2.65: ratio <= 1.13',
  };
};
