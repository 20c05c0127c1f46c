import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DurableApi } from '../../src/durable-api.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { IntentRecord } from '../../src/state/intent.ts';
import { createIntent } from '../../src/state/submit.ts';
import { memoryData, memoryStore, type MemoryData } from '../../src/store/memory-store.ts';
import type { Claimed } from '../../src/store/store.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const OPERATION = 'other.kind';

interface Host {
  readonly ledger: Ledger;
  readonly clock: VirtualClock;
  readonly api: DurableApi;
  readonly data: MemoryData;
}

function open(options: { clock?: VirtualClock; data?: MemoryData; worker?: boolean } = {}): Host {
  const { clock = new VirtualClock(), data = memoryData(), worker = true } = options;
  const api = new DurableApi({ store: memoryStore(data), clock, worker, concurrency: 1 });
  onTestFinished(() => clock.resolve(api.stop({ graceMs: 0 })));
  return { ledger: api.ledger, clock, api, data };
}

async function submit({ ledger, clock }: Host, dueInMs: number): Promise<IntentRecord> {
  const now = ledger.now();
  const intent = { id: ledger.newId(), operation: OPERATION, owner: '', deadlineAt: null };
  const { record, events } = createIntent({ ...intent, idempotency: null }, now, null);
  const due = { ...record, dueAt: now + dueInMs };
  const stored = events.map(({ seq, type }) => ({ seq, type, json: `{"seq":${seq}}` }));
  const submitted = ledger.submit({ record: due, events: stored, input: '{"rest":{}}' });
  expect((await clock.resolve(submitted)).outcome).toBe('created');
  return due;
}

/** The record with one more event, due again after `dueInMs`. */
function changed(record: IntentRecord, now: number, dueInMs: number): IntentRecord {
  return { ...record, seq: record.seq + 1, updatedAt: now, holder: null, dueAt: now + dueInMs };
}

function commit(ledger: Ledger, from: IntentRecord, record: IntentRecord) {
  const events = [{ seq: record.seq, type: 'intent.progress', json: `{"seq":${record.seq}}` }];
  return ledger.commit({ expected: { seq: from.seq, lease: null }, record, events });
}

describe('a driven operation', () => {
  it('is looked at when it is due, and again when a commit says so', async () => {
    const host = open();
    const { ledger, clock } = host;
    const seen: number[] = [];
    ledger.drive(OPERATION, async ({ record }: Claimed) => {
      seen.push(clock.now());
      await commit(ledger, record, changed(record, ledger.now(), 5_000));
    });
    const startedAt = clock.now();
    await submit(host, 1_000);
    await clock.advance(999);
    expect(seen).toEqual([]);
    await clock.advance(6_000);
    expect(seen.map((at) => at - startedAt)).toEqual([1_000, 6_000]);
  });

  it('is put off by a snooze without an event, and looked at again after a failed look', async () => {
    const host = open();
    const { ledger, clock, data } = host;
    const seen: number[] = [];
    ledger.drive(OPERATION, async ({ record }) => {
      seen.push(clock.now());
      if (seen.length === 1) throw new Error('This look fails.');
      await ledger.snooze(record, 60_000);
    });
    const startedAt = clock.now();
    const { id } = await submit(host, 0);
    await clock.advance(80_000);
    // The lease of the look that failed runs out after 15 s.
    expect(seen.map((at) => at - startedAt)).toEqual([0, 15_000, 75_000]);
    expect(data.entries.get(id)?.record.seq).toBe(2);
  });

  it('does not wait for handlers that take all places', async () => {
    const host = open();
    const { ledger, clock, api } = host;
    const run = (): Promise<never> => new Promise(() => {});
    api.declare({ name: 'slow', run });
    let looks = 0;
    ledger.drive(OPERATION, async ({ record }) => {
      looks += 1;
      await ledger.snooze(record, 600_000);
    });
    await clock.resolve(api.intents.submit('slow'));
    await submit(host, 100);
    await clock.advance(200);
    expect(looks).toBe(1);
  });

  it('is left alone by a process that does not work', async () => {
    const host = open({ worker: false });
    let looks = 0;
    host.ledger.drive(OPERATION, async () => void (looks += 1));
    await submit(host, 0);
    await host.clock.advance(1_000);
    expect(looks).toBe(0);
  });
});

describe('a ledger', () => {
  it('tells who waits of a commit, in this process and in others', async () => {
    const clock = new VirtualClock();
    const data = memoryData();
    const [here, there] = [open({ clock, data }), open({ clock, data })];
    const record = await submit(here, 3_600_000);
    await clock.resolve(there.api.ready());
    const waits = [here, there].map(({ ledger }) =>
      ledger.waitFor({ record, timeoutMs: 10_000, enough: (one) => one.record.seq > 2 }),
    );
    await setImmediate();
    const next = changed(record, clock.now(), 3_600_000);
    expect(await clock.resolve(commit(here.ledger, record, next))).toEqual({ outcome: 'ok' });
    for (const wait of waits) {
      expect((await clock.resolve(wait.change))?.record.seq).toBe(3);
    }
  });

  it('refuses a commit that comes second', async () => {
    const host = open();
    const record = await submit(host, 3_600_000);
    const next = changed(record, host.clock.now(), 3_600_000);
    await host.clock.resolve(commit(host.ledger, record, next));
    const second = await host.clock.resolve(commit(host.ledger, record, next));
    expect(second.outcome).toBe('moved');
  });

  it('says when the process begins to stop, also to who asks too late', async () => {
    const { ledger, api, clock } = open();
    const told: string[] = [];
    ledger.onLeave(() => told.push('early'));
    ledger.onLeave(() => told.push('never'))();
    await clock.resolve(api.stop({ graceMs: 0 }));
    ledger.onLeave(() => told.push('late'));
    expect(told).toEqual(['early', 'late']);
  });
});
