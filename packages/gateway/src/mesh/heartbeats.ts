import type { Claimed, Ledger } from '@durable-api/core';
import { isObject, type JsonObject } from '../http/json.ts';
import { derivedId } from '../storage/derived-id.ts';
import { addTo, beginEndless } from '../storage/endless-intent.ts';

/** The operation of what agents tell of themselves: one endless intent for each day. */
export const DAY = 'axp.mesh-day';
const DAY_MS = 24 * 3_600_000;
/** How often a process writes what it was told, in ms; what it was told meanwhile goes together. */
const WRITE_MS = 5_000;
/** For how many days it is known that an agent was there. */
const KNOWN_DAYS = 8;

/** What an agent has told of the intents that it has worked on since it last told. */
export interface AgentMetrics {
  readonly intentsTotal: number;
  readonly intentsSucceeded: number;
  readonly intentsFailed: number;
  readonly costUsd: number;
  readonly avgLatencyMs: number | null;
}

/** What is known of an agent. */
export interface AgentPulse {
  /** When it was last heard of, in ms since the epoch. */
  readonly at: number;
  /** All that it told of the days that were asked for. */
  readonly metrics: AgentMetrics;
}

const NOTHING: AgentMetrics = {
  intentsTotal: 0,
  intentsSucceeded: 0,
  intentsFailed: 0,
  costUsd: 0,
  avgLatencyMs: null,
};

/** When agents were last heard of, and what they told, by days of UTC. */
export class Heartbeats {
  readonly #ledger: Ledger;
  #told = new Map<string, AgentPulse>();
  #writing: Promise<void> | null = null;
  #writtenAt = -Infinity;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** The agent with this address is there. Resolves before it is written when something was just now. */
  async note(address: string, metrics: AgentMetrics | null): Promise<void> {
    const now = this.#ledger.now();
    const earlier = this.#told.get(address)?.metrics ?? NOTHING;
    this.#told.set(address, { at: now, metrics: add(earlier, metrics ?? NOTHING) });
    if (this.#writing !== null) return;
    const waitMs = this.#writtenAt + WRITE_MS - now;
    if (waitMs <= 0) return this.write();
    this.#writing = this.#writeAfter(waitMs);
  }

  /** Never rejects. */
  async #writeAfter(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const unhook = this.#ledger.onLeave(finish);
      const cancel = this.#ledger.after(delayMs, finish);
      function finish(): void {
        resolve();
        cancel?.();
        unhook?.();
      }
    });
    try {
      await this.write();
    } catch (error) {
      this.#ledger.logger.warn({ err: error }, 'Heartbeats of agents were not written yet');
    }
  }

  /** Writes what is not written yet. */
  async write(): Promise<void> {
    this.#writing = null;
    if (this.#told.size > 0) await this.#write();
  }

  /** What is known of each agent by its address, with the metrics of the last `days` days. */
  async read(days: number): Promise<ReadonlyMap<string, AgentPulse>> {
    await this.write();
    const today = dayOf(this.#ledger.now());
    const back = Math.max(KNOWN_DAYS, days);
    const ids = Array.from({ length: back }, (_, i) => idOf(today - i));
    const found = await this.#ledger.get({ ids, include: 'notes' });
    const pulses = new Map<string, AgentPulse>();
    for (const [i, one] of found.entries()) {
      for (const { value } of one?.notes ?? []) {
        const { address, pulse } = decode(value);
        const known = pulses.get(address);
        const metrics = i < days ? pulse.metrics : NOTHING;
        pulses.set(address, {
          at: Math.max(known?.at ?? 0, pulse.at),
          metrics: add(known?.metrics ?? NOTHING, metrics),
        });
      }
    }
    return pulses;
  }

  async #write(): Promise<void> {
    const told = this.#told;
    this.#told = new Map();
    const ledger = this.#ledger;
    const now = ledger.now();
    this.#writtenAt = now;
    const day = dayOf(now);
    try {
      const dueAt = (day + 2) * DAY_MS;
      await beginEndless(ledger, { id: idOf(day), operation: DAY, content: {}, dueAt });
      for (;;) {
        const [found] = await ledger.get({ ids: [idOf(day)], include: 'notes' });
        if (found === undefined) throw new Error('A day of the mesh is gone from the store.');
        const known = new Map((found.notes ?? []).map(({ key, value }) => [key, value]));
        const notes = [...told].map(([address, pulse]) => {
          const key = derivedId(address);
          const earlier = known.get(key);
          return { key, value: encode(address, merge(earlier, pulse)) };
        });
        const added = await addTo(ledger, found.record, {
          entries: [{}],
          notes,
          record: { dueAt },
        });
        if (added === null || added.isWritten) return;
      }
    } catch (error) {
      for (const [address, pulse] of told) {
        const later = this.#told.get(address);
        const metrics = add(pulse.metrics, later?.metrics ?? NOTHING);
        this.#told.set(address, { at: later?.at ?? pulse.at, metrics });
      }
      throw error;
    }
  }
}

/** Ends a day that is over, so that it is removed like other ended intents. */
export async function seeToDay(ledger: Ledger, { record }: Claimed): Promise<void> {
  await addTo(ledger, record, { entries: [{}], isEnd: true });
}

function dayOf(at: number): number {
  return Math.floor(at / DAY_MS);
}

function idOf(day: number): string {
  return derivedId(DAY, String(day));
}

function merge(earlier: string | undefined, pulse: AgentPulse): AgentPulse {
  if (earlier === undefined) return pulse;
  const known = decode(earlier).pulse;
  return { at: Math.max(known.at, pulse.at), metrics: add(known.metrics, pulse.metrics) };
}

function add(a: AgentMetrics, b: AgentMetrics): AgentMetrics {
  const total = a.intentsTotal + b.intentsTotal;
  return {
    intentsTotal: total,
    intentsSucceeded: a.intentsSucceeded + b.intentsSucceeded,
    intentsFailed: a.intentsFailed + b.intentsFailed,
    costUsd: a.costUsd + b.costUsd,
    avgLatencyMs: average(a, b, total),
  };
}

function average(a: AgentMetrics, b: AgentMetrics, total: number): number | null {
  if (a.avgLatencyMs === null || b.avgLatencyMs === null) return a.avgLatencyMs ?? b.avgLatencyMs;
  if (total === 0) return b.avgLatencyMs;
  return (a.avgLatencyMs * a.intentsTotal + b.avgLatencyMs * b.intentsTotal) / total;
}

function encode(address: string, { at, metrics }: AgentPulse): string {
  return JSON.stringify({ address, at, ...metrics });
}

function decode(value: string): { readonly address: string; readonly pulse: AgentPulse } {
  const parsed: unknown = JSON.parse(value);
  const stored: JsonObject = isObject(parsed) ? parsed : {};
  const number = (name: string): number => {
    const member = stored[name];
    return typeof member === 'number' ? member : 0;
  };
  const latency = stored['avgLatencyMs'];
  return {
    address: String(stored['address']),
    pulse: {
      at: number('at'),
      metrics: {
        intentsTotal: number('intentsTotal'),
        intentsSucceeded: number('intentsSucceeded'),
        intentsFailed: number('intentsFailed'),
        costUsd: number('costUsd'),
        avgLatencyMs: typeof latency === 'number' ? latency : null,
      },
    },
  };
}
