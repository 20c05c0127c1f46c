import { setTimeout as delay } from 'node:timers/promises';
import { eventListSchema, eventSchema, isTerminal, submittedSchema } from '@durable-api/protocol';
import type { WireEvent } from '@durable-api/protocol';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { Cluster } from './cluster.ts';
import type { Ledger } from './ledger.ts';

/** Submits once, trying again with the same key until some process answers; what a client should do. */
export async function submit(
  cluster: Cluster,
  ledger: Ledger,
  ms: number,
  giveUpAt: number,
): Promise<string> {
  const key = crypto.randomUUID();
  while (performance.now() < giveUpAt) {
    try {
      const response = await fetch(`${cluster.randomOrigin()}/work`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify({ ms }),
        signal: AbortSignal.timeout(5_000),
      });
      if (response.status === 202) {
        const { intent_id: intentId } = submittedSchema.parse(await response.json());
        ledger.acknowledge(key, intentId);
        return intentId;
      }
      if (response.status < 500) throw new Unexpected(`A submit was answered ${response.status}.`);
    } catch (error) {
      if (error instanceof Unexpected) throw error;
    }
    await delay(100);
  }
  throw new Unexpected('A submit was never acknowledged.');
}

/** Observes an intent to its end over whichever processes are alive, resuming by `Last-Event-ID`. */
export async function observe(
  cluster: Cluster,
  ledger: Ledger,
  intentId: string,
  giveUpAt: number,
): Promise<void> {
  let lastId = '0';
  while (performance.now() < giveUpAt) {
    try {
      const url = `${cluster.randomOrigin()}/work/${intentId}/events`;
      const headers = { accept: 'text/event-stream', 'last-event-id': lastId };
      const response = await fetch(url, { headers, signal: AbortSignal.timeout(5_000) });
      if (response.status === 204) return;
      if (response.status === 404)
        throw new Unexpected(`${intentId} was acknowledged and is lost.`);
      const events = response.body
        ?.pipeThrough(new TextDecoderStream())
        .pipeThrough(new EventSourceParserStream());
      for await (const { id = '', data } of events ?? []) {
        lastId = id;
        ledger.observe(intentId, eventSchema.parse(JSON.parse(data)));
      }
    } catch (error) {
      if (error instanceof Unexpected) throw error;
    }
    await delay(100);
  }
  throw new Unexpected(`${intentId} was acknowledged and has not ended.`);
}

/** The stored events of an intent, once it has ended; undefined when it does not exist. */
export async function storedEvents(
  cluster: Cluster,
  intentId: string,
  giveUpAt: number,
): Promise<WireEvent[] | undefined> {
  let events: WireEvent[] = [];
  while (performance.now() < giveUpAt) {
    try {
      const url = `${cluster.randomOrigin()}/work/${intentId}/events`;
      const headers = { accept: 'application/json' };
      const response = await fetch(url, { headers, signal: AbortSignal.timeout(5_000) });
      if (response.status === 404) return undefined;
      events = eventListSchema.parse(await response.json()).events;
      if (events.some(({ status }) => isTerminal(status))) return events;
    } catch {
      // The process was killed under the request; another one is asked.
    }
    await delay(100);
  }
  return events;
}

class Unexpected extends Error {}
