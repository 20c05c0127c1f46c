import { describe, expect, it } from 'vitest';
import type { AgentHost, AgentWork } from '../../src/agents/agent-host.ts';
import { DurableApi } from '../../src/durable-api.ts';
import { createIntent } from '../../src/state/submit.ts';
import { memoryData, memoryStore, type MemoryData } from '../../src/store/memory-store.ts';
import { encodeStored } from '../../src/engine/encode-stored.ts';
import { NO_ANSWER } from '../../src/agents/hand-over.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const AGENT = 'agent://acme/production/reports';
const KIND = 'intent.of.agents';

interface Asked {
  readonly id: string;
  readonly task: AgentWork;
}

/** A gateway that keeps intents and sends them to nobody. */
class FakeHost implements AgentHost {
  readonly asked: Asked[] = [];
  readonly canceled: string[] = [];
  /** How many calls fail yet. */
  failures = 0;
  /** Whether nothing comes of a call. */
  isStuck = false;
  readonly #api: DurableApi;

  constructor(api: DurableApi) {
    this.#api = api;
  }

  async store(parent: { readonly id: string }, id: string, task: AgentWork): Promise<void> {
    this.asked.push({ id, task });
    if (this.isStuck) await new Promise(() => {});
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('The store is away.');
    }
    const { ledger } = this.#api;
    const intent = { id, operation: KIND, owner: '', deadlineAt: null, idempotency: null };
    const now = ledger.now();
    const { record, events } = createIntent({ ...intent, parentIntentId: parent.id }, now, null);
    await ledger.submit({ record, events: encodeStored(id, events), input: '{"rest":{}}' });
  }

  async cancel(_parent: unknown, child: { readonly id: string }): Promise<void> {
    this.canceled.push(child.id);
  }
}

interface Setup {
  readonly data?: MemoryData;
  readonly clock?: VirtualClock;
  readonly agent?: string;
}

function open({ data = memoryData(), clock = new VirtualClock(), agent = AGENT }: Setup = {}) {
  const api = new DurableApi({ store: memoryStore(data), clock, concurrency: 1 });
  const host = new FakeHost(api);
  api.ledger.hostAgents(host);
  api.declare({ name: 'reports', run: async () => NO_ANSWER }, { agent });
  const submit = async (): Promise<string> => {
    const submitted = api.intents.submit('reports', { body: { n: 1 } });
    return (await clock.resolve(submitted)).record.id;
  };
  const statusOf = (id: string) => data.entries.get(id)?.record.status;
  return { api, host, clock, data, submit, statusOf };
}

/** The agent is done. */
async function complete({ api, clock, data }: ReturnType<typeof open>, id: string): Promise<void> {
  const record = data.entries.get(id)?.record;
  if (record === undefined) throw new Error('The intent is not there.');
  const seq = record.seq + 1;
  const ended = { ...record, seq, status: 'COMPLETED', holder: null, dueAt: null } as const;
  const body = Buffer.from('{"rows":3}');
  const result = { status: 200, headers: { 'content-type': 'application/json' }, body };
  const events = [{ seq, type: 'intent.completed', json: '{}' }];
  const expected = { seq: record.seq, lease: null };
  await clock.resolve(api.ledger.commit({ expected, record: ended, events, result }));
}

describe('the intent of an agent', () => {
  it('is asked for under one id until it is stored', async () => {
    const bed = open();
    bed.host.failures = 3;
    const id = await bed.submit();
    await bed.clock.until(() => bed.statusOf(id) === 'WAITING', 5_000);
    const ids = new Set(bed.host.asked.map((asked) => asked.id));
    expect(bed.host.asked).toHaveLength(4);
    expect(ids.size).toBe(1);
    expect(bed.host.asked[0]?.task).toEqual({
      address: AGENT,
      intentType: 'operation.reports.v1',
      payload: { n: 1 },
    });
  });

  it('has the same id in the process that goes on after one that died, wherever its agent is by then', async () => {
    const first = open();
    first.host.isStuck = true;
    const id = await first.submit();
    await first.clock.until(() => first.host.asked.length > 0, 5_000);
    const { data, clock } = first;
    await clock.resolve(first.api.stop({ graceMs: 0 }));
    const second = open({ data, clock, agent: `${AGENT}-2` });
    await clock.until(() => second.statusOf(id) === 'WAITING', 60_000);
    const child = second.host.asked[0]?.id ?? '';
    expect(child).toBe(first.host.asked[0]?.id);
    await complete(second, child);
    await clock.until(() => second.statusOf(id) === 'COMPLETED', 60_000);
    const result = await clock.resolve(second.api.intents.result(id));
    expect(Buffer.from(result?.body ?? []).toString()).toBe('{"rows":3}');
    expect(second.data.entries.size).toBe(2);
  });

  it('is canceled with its parent, also before it is stored', async () => {
    const bed = open();
    bed.host.isStuck = true;
    const id = await bed.submit();
    await bed.clock.until(() => bed.host.asked.length > 0, 5_000);
    await bed.clock.resolve(bed.api.intents.cancel(id));
    await bed.clock.until(() => bed.statusOf(id) === 'CANCELED', 60_000);
    expect(bed.host.canceled).toEqual([bed.host.asked[0]?.id]);
  });

  it('is left alone by a process that has no way to it', async () => {
    const [data, clock] = [memoryData(), new VirtualClock()];
    const store = memoryStore(data);
    const web = new DurableApi({ store, clock, worker: false });
    web.declare({ name: 'reports', run: async () => NO_ANSWER }, { agent: AGENT });
    const { record } = await clock.resolve(web.intents.submit('reports', { body: {} }));
    const warnings: string[] = [];
    const log = (_: unknown, message?: string) => void warnings.push(String(message));
    const logger = { debug: log, info: log, warn: log, error: log };
    const lost = new DurableApi({ store: memoryStore(data), clock, logger });
    lost.declare({ name: 'reports', run: async () => NO_ANSWER }, { agent: AGENT });
    lost.declare({ name: 'other', run: async () => NO_ANSWER });
    await clock.advance(60_000);
    expect(data.entries.get(record.id)?.record).toMatchObject({ status: 'SUBMITTED', lease: 0 });
    expect(warnings).toEqual([expect.stringContaining('no gateway stands over this durable API')]);
    lost.ledger.hostAgents(new FakeHost(lost));
    await clock.until(() => data.entries.get(record.id)?.record.lease === 1, 5_000);
  });
});
